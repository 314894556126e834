"""Walls around a process of this machine, without a container engine.

    calls        the system calls that the standard library lacks
    mounts       a root file system of its own
    seccomp      which system calls are refused
    cgroups      memory, CPU and processes, limited and counted
      places       where this process stands in each hierarchy
      delegation   which part of version 2 is ours to divide
      branch       what one owner has in one hierarchy
      controllers  the files of limits and figures, in both versions
      eviction     ending all that is in a cgroup
    walls        which of these stand on this machine

`calls`, `mounts` and `seccomp` work inside a session, under the interpreter of its environment, and know nothing but
the standard library; so does everything in `..warm`.
"""
