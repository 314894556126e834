"""Where a process stands in the cgroup hierarchies, from the texts that machines of all kinds show."""

from __future__ import annotations

from amalthea.providers.process.sandbox.places import Place, first, paths, places, unified

PLAIN = "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro"

VERSION_1 = """\
31 23 0:27 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
35 31 0:31 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
36 31 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct
37 31 0:33 / /sys/fs/cgroup/memory rw,nosuid shared:16 master:4 - cgroup cgroup rw,memory
38 31 0:34 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids
"""
OWN_1 = """\
5:memory:/system.slice/amalthea.service
4:pids:/system.slice/amalthea.service
3:cpu,cpuacct:/
1:name=systemd:/system.slice/amalthea.service
"""

VERSION_2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate"
OWN_2 = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/amalthea.service\n"


def test_each_controller_of_version_1_has_a_tree_and_a_path_of_its_own() -> None:
    found = places(f"{PLAIN}\n{VERSION_1}", OWN_1)
    both = frozenset({"rw", "cpu", "cpuacct"})
    assert first(found, "cpu") == Place(version=1, controllers=both, directory="/sys/fs/cgroup/cpu,cpuacct", top=True)
    memory, pids = first(found, "memory"), first(found, "pids")
    assert memory is not None
    assert memory.directory == "/sys/fs/cgroup/memory/system.slice/amalthea.service"
    assert not memory.top
    assert pids is not None
    assert pids.directory == "/sys/fs/cgroup/pids/system.slice/amalthea.service"
    assert unified(found) is None


def test_version_2_has_one_tree() -> None:
    found = places(f"{PLAIN}\n{VERSION_2}\n", OWN_2)
    directory = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/amalthea.service"
    assert found == [Place(version=2, controllers=frozenset(), directory=directory)]
    assert first(found, "memory") is None


def test_a_hybrid_has_both() -> None:
    tree = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw"
    found = places(f"{VERSION_1}{tree}\n", f"{OWN_1}0::/system.slice/amalthea.service\n")
    own = unified(found)
    assert own is not None
    assert own.directory == "/sys/fs/cgroup/unified/system.slice/amalthea.service"
    assert first(found, "memory") is not None


def test_a_container_sees_the_tree_from_its_middle() -> None:
    mounted = "37 31 0:33 /docker/ab12 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    assert [(one.directory, one.top) for one in places(mounted, "5:memory:/docker/ab12\n")] == [
        ("/sys/fs/cgroup/memory", True)
    ]
    assert [(one.directory, one.top) for one in places(mounted, "5:memory:/docker/ab12/inner\n")] == [
        ("/sys/fs/cgroup/memory/inner", False)
    ]


def test_a_cgroup_outside_of_what_is_mounted_is_nowhere() -> None:
    elsewhere = "37 31 0:33 /docker/ab12 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    assert places(elsewhere, "5:memory:/docker/ab123\n") == []
    assert places(elsewhere, "5:memory:/\n") == []
    assert places("35 24 0:30 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/\n") == []
    assert places(f"{VERSION_2}\n", "0::/../other.service\n") == []


def test_what_is_not_mounted_is_nowhere() -> None:
    assert places(f"{PLAIN}\n", OWN_1 + OWN_2) == []
    assert places("", "") == []


def test_a_later_mount_covers_an_earlier_one_at_the_same_directory() -> None:
    twice = f"{VERSION_2}\n37 35 0:33 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n"
    found = places(twice, "0::/\n5:memory:/\n")
    assert [(one.version, one.directory) for one in found] == [(1, "/sys/fs/cgroup")]


def test_escaped_characters_in_a_directory_are_read() -> None:
    odd = "35 24 0:30 / /mnt/control\\040groups\\134x rw - cgroup2 cgroup2 rw\n"
    assert places(odd, "0::/a b\n")[0].directory == "/mnt/control groups\\x/a b"


def test_a_path_may_hold_colons() -> None:
    assert paths("2:pids:/a:b/c\n0::/x:y\n") == {"pids": "/a:b/c", "": "/x:y"}
