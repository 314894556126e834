"""Temporary notebook servers: a private one in a click, which outlives its provider.

    service     what the fleet knows of it: routes, probes, data, processes
    settings    its table in the fleet file
    sense       what its form allows, and sense does not
    opening     everything that one process needs, opened and closed
    sessions    from the click to the end: admission, the pool, time, culling
    forwarding  requests and WebSockets, to the session that they are for
    pages       what visitors and programs ask for
    starting    the files that a session begins with
    work        what visitors make, kept beyond the session it was made in
    egress      the way out that sessions have
    lite        notebooks in the browser alone, for when this is full
    places      where sessions are in a browser; `moves` is where they went

A session itself is the business of a spawner (`model.spawner`), which providers have.
"""
