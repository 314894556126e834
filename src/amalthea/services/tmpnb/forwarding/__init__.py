"""From a visitor's request to the notebook server that is his: HTTP and WebSockets.

    upstream     a session's server, asked by HTTP
    forwarder    requests, passed on and back
    tunnel       WebSockets, passed through as they are
    headers      what goes through, and what does not
    strip        the strip in a session's pages: time left, more of it, my work

Everything that a session's server says is a stranger's. What would reach beyond its own path - cookies for other paths,
service workers for the whole origin - is left out, and it is never told what opens another session.
"""
