"""The notebook viewer: an address in, a page out; a drop-in for nbviewer.org.

service      what the fleet knows of it; `settings` are its table in the fleet file, `opening` puts it together
pages        nbviewer's own name: what visitors see, paste, drop and compare
paste        from what people have to the path of its page
sources      from a path to a notebook or a listing, one module for each kind of place; `source` is their contract
fetching     one careful request, and copies of what was said, asked for again by condition
press        pages out of notebooks: workers that can be killed, and what they made, kept in memory and store
render       the renderer itself: a pure function, without network or files
content      the second origin, for frames that run scripts, their `libraries`, and raw files
hub          as the service of a JupyterHub
crowds       who may ask how much
"""
