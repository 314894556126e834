"""What visitors and programs can ask for.

front       the list of what can be started, and the click
deep_links  links that open something in a server of the visitor's own
waiting     the queue, live
api         for programs, as tmpnb had it
door        everything below `/user/<session>/`: to the session, or to what there is instead
own         what the strip in a session's pages asks: time left, more of it, my work
again       a session that is over, opened anew with its files
wishes      what is asked for, out of forms and paths
cookies     which sessions a browser has
answers     what all of them share
"""
