"""Notebook servers in a tenth of a second: a process that has everything imported, and forks.

    parent       imports everything once, and forks a session for each message
    preload      what it imports
    session      outside: joins cgroups, unshares namespaces, waits for pid 1
    init         pid 1: builds the root, gives up its rights, forks server and kernels
    rights       what it gives up, and the environment that is left
    server       JupyterLab and Notebook, on a socket that listens already
    kernel       a Python kernel
    provisioner  in the server: asks pid 1 for kernels
    order        what a session is told
    messages     how

All of it runs under the interpreter of an environment, started as `python -I <this directory>`: nothing here knows
more than the standard library and the packages of Jupyter. A session reads its order after the fork, so that nothing
of it is ever in the memory from which the next one is forked.
"""
