"""The only way out of a session: a proxy that connects to hosts on a list, and tells everybody what it did.

A session's network leads nowhere but to one listening socket. What arrives there is one request for each connection:

proxy        accepts, attends to each connection, and remembers it; `settings` are its part of the fleet file
request      the head of a request, read strictly: what is in doubt is refused, and nothing of it is sent on
rules        which names, ports and addresses; the list is the operator's
dialling     a name to a connection: resolved once, every address judged, connected to what was judged
hello        the first message of TLS, to see that it asks for the name that was allowed
relaying     bytes both ways, each no faster than the other side takes them
traffic      what a session has used of what it may: `bucket`s, counts, and the last connections (`records`)
refusing     answers to what is not done: what is allowed instead, and who decides
"""
