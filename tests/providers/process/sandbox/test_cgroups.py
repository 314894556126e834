"""Real processes in real cgroups: what limits them, what counts them, what ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Limits, Usage
from amalthea.model.units import ByteSize
from amalthea.providers.process.sandbox.cgroups import CONTROLLERS, Cgroups, Group
from amalthea.providers.process.sandbox.delegation import LEAF
from amalthea.providers.process.sandbox.eviction import processes
from amalthea.providers.process.sandbox.places import Place, places, unified

LIMITS = Limits(memory=ByteSize(64 << 20), cpu=1.0, processes=24, disk=ByteSize(1 << 20), files=100)
JOIN = """
import os, sys, time
for name in sys.argv[1:]:
    with open(name, "w") as file:
        file.write("0")
print("in", flush=True)
"""
SLEEP = "time.sleep(600)"
SPIN = "os.fork()\nwhile True: pass"
HOG = "held = []\nwhile True: held.append(bytearray(b'x') * (4 << 20))"
BOMB = """
import signal
signal.alarm(60)  # if all else fails
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
COUNT = """
children = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(600)
        children += 1
except BlockingIOError:
    print(children, flush=True)
time.sleep(600)
"""
OWNER = """
import subprocess, sys, time
from amalthea.model.spawner import Limits
from amalthea.model.units import ByteSize
from amalthea.providers.process.sandbox.cgroups import Cgroups
limits = Limits(memory=ByteSize(64 << 20), cpu=1.0, processes=24, disk=ByteSize(1 << 20), files=100)
group = Cgroups.find("dead").make("one", limits)
subprocess.Popen([sys.executable, "-c", sys.argv[1], *group.join_files], start_new_session=True)
print(*group.directories, flush=True)
time.sleep(600)
"""

Run = Callable[[Group, str], "subprocess.Popen[str]"]


@pytest.fixture
def cgroups() -> Iterator[Cgroups]:
    found = Cgroups.find("test")
    yield found
    found.close()


@pytest.fixture
def group(cgroups: Cgroups) -> Iterator[Group]:
    """One with every limit; a test of fewer would show nothing."""
    if missing := [reason for reason in cgroups.available.values() if reason]:
        pytest.skip("; ".join(missing))
    made = cgroups.make("one", LIMITS)
    yield made
    made.kill()
    made.remove()


@pytest.fixture
def run() -> Iterator[Run]:
    """Start a program as a member of a group; it has joined when this returns."""
    started: list[subprocess.Popen[str]] = []

    def start(group: Group, code: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-I", "-S", "-c", JOIN + code, *group.join_files]
        one = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(one)
        assert one.stdout is not None
        assert one.stdout.readline() == "in\n"
        return one

    yield start
    for one in started:
        one.kill()
        one.wait()
        assert one.stdout is not None
        one.stdout.close()  # its children may still have it: no waiting for its end


def member(group: Group) -> list[int]:
    return processes(group.directories[0])


def cgroup_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return ""


def rate(group: Group, *, seconds: float) -> float:
    """Cores used, over a while."""
    before, began = group.usage().cpu, time.monotonic()
    time.sleep(seconds)
    after, ended = group.usage().cpu, time.monotonic()
    assert before is not None
    assert after is not None
    return (after - before) / (ended - began)


@pytest.mark.privileged
def test_a_memory_hog_is_killed_and_counted_and_its_neighbour_lives(group: Group, run: Run) -> None:
    neighbour = run(group, SLEEP)
    hog = run(group, HOG)
    assert hog.wait(timeout=30) == -signal.SIGKILL
    assert group.usage().kills == 1
    assert neighbour.poll() is None


@pytest.mark.privileged
def test_memory_in_use_is_seen(group: Group, run: Run) -> None:
    held = run(group, "held = b'x' * (20 << 20)\nprint(len(held), flush=True)\ntime.sleep(600)")
    assert held.stdout is not None
    held.stdout.readline()
    memory = group.usage().memory
    assert memory is not None
    assert 20 << 20 <= memory <= LIMITS.memory
    assert group.usage().kills == 0


@pytest.mark.privileged
def test_no_more_processes_than_the_limit_can_be_made(group: Group, run: Run) -> None:
    parent = run(group, COUNT)
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) == LIMITS.processes - 1
    assert group.usage().processes == LIMITS.processes


@pytest.mark.privileged
def test_a_quota_of_cpu_is_kept_by_all_processes_together(cgroups: Cgroups, group: Group, run: Run) -> None:
    small = cgroups.make("small", msgspec.structs.replace(LIMITS, cpu=0.2))
    try:
        run(small, SPIN)
        assert 0.005 < rate(small, seconds=1.0) < 0.45
    finally:
        small.kill()
        small.remove()


@pytest.mark.privileged
def test_a_group_can_be_throttled_and_set_free_again(group: Group, run: Run) -> None:
    run(group, SPIN)
    group.throttle(0.05)
    slow = rate(group, seconds=1.0)
    group.throttle(4.0)
    assert slow < 0.2
    assert rate(group, seconds=1.0) > 1.2 * slow


@pytest.mark.privileged
def test_a_kill_ends_also_what_forks_without_end(group: Group, run: Run) -> None:
    bomb = run(group, BOMB)
    deadline = time.monotonic() + 20
    while len(member(group)) < LIMITS.processes // 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    group.kill()
    assert member(group) == []
    assert bomb.wait(timeout=5) == -signal.SIGKILL


@pytest.mark.privileged
def test_nothing_can_be_started_in_a_group_that_was_killed(group: Group, run: Run) -> None:
    group.kill()
    held = run(group, "try:\n    os.fork()\nexcept BlockingIOError:\n    print('refused', flush=True)")
    assert held.stdout is not None
    assert held.stdout.readline() == "refused\n"


@pytest.mark.privileged
def test_a_group_in_use_is_not_removed_and_one_that_is_gone_is_gone(cgroups: Cgroups, group: Group, run: Run) -> None:
    other = cgroups.make("other", LIMITS)
    run(other, SLEEP)
    other.kill()
    other.remove()
    other.remove()
    other.kill()
    assert not any(map(os.path.exists, other.directories))
    with pytest.raises(ProviderError, match="no such cgroup"):
        other.usage()


@pytest.mark.privileged
def test_a_group_stands_below_the_own_cgroup_of_this_process(group: Group) -> None:
    own = places(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())
    for directory in group.directories:
        above = Path(directory).parent.parent
        assert {str(above), str(above / LEAF)} & {
            one.directory for one in own
        }  # in v2 processes step aside into a leaf


@pytest.mark.privileged
def test_two_owners_of_one_name_do_not_meet(cgroups: Cgroups, group: Group, run: Run) -> None:
    sleeper = run(group, SLEEP)
    second = Cgroups.find("test")
    try:
        other = second.make("one", LIMITS)
        assert not set(other.directories) & set(group.directories)
        other.kill()
        other.remove()
    finally:
        second.close()
    assert sleeper.poll() is None


@pytest.mark.privileged
def test_what_a_dead_owner_left_is_killed_and_removed_and_what_a_living_one_has_is_not(group: Group, run: Run) -> None:
    sleeper = run(group, SLEEP)
    with subprocess.Popen([sys.executable, "-c", OWNER, JOIN + SLEEP], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        left = owner.stdout.readline().split()
        assert owner.stdout.readline() == "in\n"  # what it started
        (orphan,) = processes(left[0])
        owner.kill()
    deadline = time.monotonic() + 20
    while any(map(os.path.exists, left)) and time.monotonic() < deadline:  # somebody else may be sweeping here now
        Cgroups.find("test").close()
    assert not any(map(os.path.exists, left))
    assert f"/{os.path.basename(os.path.dirname(left[0]))}/" not in cgroup_of(orphan)
    assert sleeper.poll() is None


@pytest.mark.privileged
def test_closing_leaves_no_empty_directory(group: Group) -> None:
    other = Cgroups.find("test")
    empty = other.make("empty", LIMITS)
    other.close()
    other.close()
    assert not any(os.path.exists(os.path.dirname(one)) for one in empty.directories)


@pytest.mark.privileged
def test_one_name_is_one_group(cgroups: Cgroups, group: Group) -> None:
    with pytest.raises(ProviderError, match="File exists"):
        cgroups.make("one", LIMITS)
    assert all(map(os.path.exists, group.directories))


@pytest.mark.privileged
def test_a_limit_that_the_kernel_does_not_take_is_an_error_and_nothing_is_left(cgroups: Cgroups, group: Group) -> None:
    with pytest.raises(ProviderError, match=r"cannot set pids\.max to -5"):
        cgroups.make("wrong", msgspec.structs.replace(LIMITS, processes=-5))
    above = {os.path.dirname(one) for one in group.directories}
    assert not any(os.path.exists(f"{one}/group.wrong") for one in above)


@pytest.mark.privileged
def test_swap_is_no_way_around_the_limit_of_memory(group: Group) -> None:
    files = [
        Path(one, name) for one in group.directories for name in ("memory.memsw.limit_in_bytes", "memory.swap.max")
    ]
    found = [int(file.read_text()) for file in files if file.exists()]
    if not found:
        pytest.skip("this kernel does not count swap")
    assert found in ([LIMITS.memory], [0])


def test_without_any_controller_a_group_limits_nothing_and_says_why() -> None:
    bare = Cgroups.below([], "test")
    assert set(bare.available) == set(CONTROLLERS)
    assert all(f"no {one} controller" in reason for one, reason in bare.available.items())
    group = bare.make("one", LIMITS)
    assert group.join_files == ()
    assert group.usage() == Usage()
    group.throttle(0.5)
    group.kill()
    group.remove()
    bare.close()


def test_where_no_cgroup_can_be_made_it_says_what_to_do(tmp_path: Path) -> None:
    own = Place(version=1, controllers=frozenset({"memory"}), directory=str(tmp_path / "gone"))
    found = Cgroups.below([own], "test")
    assert "No such file" in found.available["memory"]
    assert "Delegate=yes" in found.available["memory"]
    assert "no cpu controller" in found.available["cpu"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden"])
def test_a_name_cannot_lead_elsewhere(name: str) -> None:
    with pytest.raises(ProviderError):
        Cgroups.find(name)
    bare = Cgroups.below([], "test")
    with pytest.raises(ProviderError):
        bare.make(name, LIMITS)


@pytest.fixture
def second_version() -> Iterator[Group]:
    """A group in a tree of version 2, be there controllers in it or not."""
    own: Any = unified(places(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text()))
    directory = "" if own is None else f"{own.directory}/test.{os.getpid()}"
    try:
        os.mkdir(directory)
    except OSError as error:
        pytest.skip(f"no tree of version 2 to write in: {error.strerror}")
    group = Group([Place(version=2, controllers=frozenset(), directory=directory)])
    yield group
    group.kill()
    group.remove()


@pytest.mark.privileged
def test_a_group_of_version_2_counts_time_and_is_killed_at_once(second_version: Group, run: Run) -> None:
    run(second_version, SPIN)
    assert rate(second_version, seconds=0.3) > 0
    assert len(member(second_version)) == 2
    second_version.kill()
    assert member(second_version) == []
