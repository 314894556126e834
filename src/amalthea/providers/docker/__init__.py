"""Sessions as containers of a Docker engine on this machine, one container each, without any network.

`DockerSpawner.open` reaches the engine, removes what a dead process of the same owner left, makes sure of each image
and runs a trial session of it: what that shows are the guarantees. `recipe.py` says what a container is given.

A session's server listens on a socket file in a directory that the container sees. Once it listens, the file is moved
to where no tenant reaches and the directory is removed: nothing can be put in its place, and nothing can be written
to the host's disk. The home is a tmpfs; where this process may (it is root), it holds the home and the network of each
container from the start, by descriptor, so that files can be read after the end. Elsewhere the engine runs `tar`.
"""

from __future__ import annotations

from amalthea.providers.docker.spawner import DockerSpawner

__all__ = ["DockerSpawner"]
