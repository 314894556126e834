"""From the click to the end of a session.

    admission    who gets a place, and who waits for one: limits, bans, the queue
    pool         sessions kept ready
    sessions     those in use: handed over, given more time, ended
    activity     what a session is doing, asked of its own server
    culling      who has been idle or here for too long, or has used too much
    limits       starts by network, and bans; `headroom` is what the machine has left
    keeping      the work of each; `way_out` is what it may connect to

A session's name is random and ends in the name of its site, which is how an edge finds it.
"""
