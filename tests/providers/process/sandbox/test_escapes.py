"""Programs inside a session that try to get at others, at the machine, or at the network: none gets anywhere."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from amalthea.providers.process.spawner import ProcessSpawner
from tests.providers.process.sandbox.conftest import Intruder, Neighbour, intruding

pytestmark = [pytest.mark.xdist_group("escapes"), pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

OWN_PLACES = {"/home/jovyan", "/tmp", "/run", "/var/tmp", "/dev/shm"}
HARMLESS = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}


@pytest.fixture(autouse=True)
def walled(spawner: ProcessSpawner) -> None:
    """Where there are no namespaces there is nothing to get out of."""
    missing = [wall for wall in spawner.guarantees() if wall.name == "files" and not wall.holds]
    if missing:
        pytest.skip(f"no namespaces here: {missing[0].detail}")


def shifted(text: str) -> str:
    """In hex, so that who looks for it does not find what it looks with."""
    return text.encode().hex()


async def test_the_probes_find_what_there_is_to_find(intruder: Intruder) -> None:
    """That they come back with nothing means something: on the session's own things they do not."""
    code = """
import os, socket, subprocess
port = socket.create_server(('127.0.0.1', 0))
near = socket.socket(socket.AF_UNIX); near.bind(b'\\0near'); near.listen()
child = subprocess.Popen(['sleep', '600'])
print(port.getsockname()[1], child.pid)
"""
    port, child = map(int, (await intruder.kernel.run(code)).split())
    deeds = await intruder.tries("others.deeds", child)
    assert {"signal", "pidfd", "environ", "root", "mem", "trace", "read memory"} <= set(deeds)
    assert await intruder.tries("files.named", "sitecustomize-of-nobody") == []
    assert "/home/jovyan/probes/files.py" in await intruder.tries("files.named", "probes/files.py")
    told = await intruder.tries("files.mentioned", [shifted("XDG_NO=1"), shifted("HOME=")])
    assert f"/proc/{child}/environ" in told
    assert await intruder.tries("network.answered", [("127.0.0.1", port)]) == [f"127.0.0.1 {port} SOCK_STREAM"]
    assert len(await intruder.tries("network.neighbours", [b"\0near".hex()])) == 1
    await intruder.kernel.run("child.kill(); child.wait(); port.close(); near.close()")


# Who they are.


async def test_no_process_of_a_session_has_any_right_and_the_filter_is_on_in_each(intruder: Intruder) -> None:
    found = await intruder.tries("others.statuses")
    assert len(found) >= 4  # pid 1, the server, this kernel, and what it started
    for status in found.values():
        assert [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")] == ["0" * 16] * 5
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        assert "0" not in (status["Uid"] + status["Gid"]).split()


async def test_nobody_can_become_somebody_else_or_come_before_others(intruder: Intruder) -> None:
    assert await intruder.tries("rights.gained") == []
    assert await intruder.tries("rights.raised") == []


# Other processes.


async def test_processes_of_others_cannot_be_seen_signalled_traced_or_read(
    intruder: Intruder, neighbour: Neighbour
) -> None:
    """Those of the machine, of the service, of its warm parent, of the other session, and many numbers at random."""
    numbers = sorted(
        {*psutil.pids(), *range(200, 1200)} | {pid for one in _descendants() for pid in (one.pid, one.ppid())}
    )
    assert await intruder.tries("others.reached", numbers) == []


def _descendants() -> list[psutil.Process]:
    return [psutil.Process(), *psutil.Process().children(recursive=True)]


async def test_pid_1_and_the_server_cannot_be_read_changed_traced_or_entered(intruder: Intruder) -> None:
    assert await intruder.tries("others.opened_up") == []


async def test_no_descriptor_leads_out(intruder: Intruder) -> None:
    assert await intruder.tries("others.foreign_descriptors") == []


async def test_whoever_kills_everybody_kills_only_its_own(spawner: ProcessSpawner, neighbour: Neighbour) -> None:
    async with intruding(spawner) as intruder:
        await intruder.kernel.begin("from probes import others; others.kill_everybody()")
        assert "ended" in await spawner.ended(intruder.name)
    await neighbour.is_served()


# Other sessions' secrets.


async def test_nothing_of_another_session_is_named_anywhere(intruder: Intruder, neighbour: Neighbour) -> None:
    await neighbour.is_served()
    order = neighbour.visitor.order
    assert (
        await intruder.tries("files.mentioned", [shifted(text) for text in (order.token, order.name, neighbour.secret)])
        == []
    )


async def test_files_of_another_session_are_found_on_no_way(intruder: Intruder, neighbour: Neighbour) -> None:
    directory = os.path.basename(os.path.dirname(os.path.dirname(neighbour.visitor.address.removeprefix("unix:"))))
    for marker in (neighbour.secret, neighbour.visitor.order.name, intruder.name, f"{directory}/sessions"):
        assert await intruder.tries("files.named", marker) == []


# The machine's files.


async def test_only_its_own_places_can_be_written(intruder: Intruder) -> None:
    found = set(await intruder.tries("files.writable"))
    below = tuple(f"{place}/" for place in OWN_PLACES)
    assert {place for place in found if not place.startswith(below)} - HARMLESS == OWN_PLACES


async def test_no_switch_of_the_kernel_can_be_set(intruder: Intruder) -> None:
    assert await intruder.tries("files.switches") == []


async def test_nothing_can_be_mounted_and_no_namespace_made_or_entered(intruder: Intruder) -> None:
    assert await intruder.tries("rights.mounted") == []
    assert await intruder.tries("rights.namespaces_made") == []


async def test_no_device_can_be_made_or_found(intruder: Intruder) -> None:
    assert await intruder.tries("rights.devices_made") == []


# The network.


@pytest.fixture
def listening() -> Iterator[tuple[list[tuple[str, int]], list[str]]]:
    """Sockets of the machine: ports of loopback, and names of Unix sockets in hex."""
    with ExitStack() as stack:
        found = []
        for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            one = stack.enter_context(socket.socket(family))
            one.bind((host, 0))
            one.listen()
            found.append((host, one.getsockname()[1]))
        abstract = f"\0escape-{os.getpid()}".encode()
        stack.enter_context(socket.socket(socket.AF_UNIX)).bind(abstract)
        yield found, [abstract.hex()]


async def test_no_address_answers(intruder: Intruder, listening: tuple[list[tuple[str, int]], list[str]]) -> None:
    own = [one.address for each in psutil.net_if_addrs().values() for one in each if one.family == socket.AF_INET]
    far = ["192.0.2.1", "198.51.100.7", "10.0.0.1", "169.254.169.254", "224.0.0.1", "2001:db8::1", "fe80::1"]
    ports, _ = listening
    addresses = [*ports, *((host, port) for host in own for _, port in ports[:1])]
    addresses += [(host, port) for host in far for port in (53, 80)]
    assert await intruder.tries("network.answered", addresses) == []


async def test_sockets_of_others_cannot_be_connected_to(
    intruder: Intruder, neighbour: Neighbour, listening: tuple[list[tuple[str, int]], list[str]]
) -> None:
    abstract = f"\0neighbour-{neighbour.secret}"
    code = f"""
import socket
kept = socket.socket(socket.AF_UNIX); kept.bind({abstract!r}); kept.listen()
port = socket.create_server(('127.0.0.1', 0)); print(port.getsockname()[1])
"""
    port = int(await neighbour.kernel.run(code))
    real = neighbour.visitor.address.removeprefix("unix:").encode().hex()
    assert await intruder.tries("network.neighbours", [*listening[1], abstract.encode().hex(), real]) == []
    assert await intruder.tries("network.answered", [("127.0.0.1", port)]) == []


async def test_there_is_one_interface_and_no_route_and_none_can_be_made(intruder: Intruder) -> None:
    assert await intruder.tries("network.seen") == {
        "interfaces": ["lo"],
        "routes": [],
        "resolved": False,
        "made": False,
    }


async def test_no_socket_sees_packets(intruder: Intruder) -> None:
    assert await intruder.tries("network.rare_sockets") == []


async def test_the_way_out_of_another_session_is_another(
    spawner: ProcessSpawner, intruder: Intruder, neighbour: Neighbour
) -> None:
    """Whoever connects to the proxy's port comes to its own socket."""
    own, other = spawner.egress(intruder.name), spawner.egress(neighbour.visitor.order.name)
    assert own is not None
    assert other is not None
    code = "import socket; s = socket.create_connection(('127.0.0.1', 3128)); print('connected')"
    assert await intruder.kernel.run(code) == "connected"
    own.accept()[0].close()
    with pytest.raises(BlockingIOError):
        other.accept()
