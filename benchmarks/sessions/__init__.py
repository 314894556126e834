"""What the benchmark of sessions is made of.

clicks    a fleet with so many sessions, and the time from a click to a page and to a result
memory    what a session takes
cold      JupyterLab started by itself, and by a JupyterHub
docker    sessions as containers
"""
