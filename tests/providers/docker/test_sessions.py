"""Sessions in containers of a real engine."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import time
from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Spawned
from amalthea.model.units import ByteSize
from amalthea.providers.docker import DockerSpawner
from tests.providers.docker.conftest import Tenant
from tests.providers.docker.visiting import MEBIBYTE, get, order

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("docker"), pytest.mark.slow]

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="takes root")


def python(program: str) -> tuple[str, ...]:
    return ("python3", "-c", program)


async def test_a_started_session_answers_below_its_own_path(session: Spawned) -> None:
    status, said, _ = await get(session, "api/status")
    assert (status, said["kernels"]) == (200, 0)
    assert (await get(session, "lab"))[0] == 200


async def test_nobody_gets_in_without_the_token(session: Spawned) -> None:
    assert (await get(session, "api/contents", token="wrong"))[0] == 403


async def test_only_the_origins_of_the_order_may_frame_it(spawner: DockerSpawner) -> None:
    session = await spawner.start(order("framed", ancestors=("https://docs.example.org",)))
    _, _, headers = await get(session, "lab")
    assert "frame-ancestors 'self' https://docs.example.org" in headers["Content-Security-Policy"]


async def test_what_runs_is_what_was_started(spawner: DockerSpawner, session: Spawned) -> None:
    assert await spawner.running() == {"ada": session}
    await spawner.stop("ada")
    assert await spawner.running() == {}


async def test_a_second_of_the_same_name_is_refused_and_the_first_lives_on(
    spawner: DockerSpawner, session: Spawned
) -> None:
    with pytest.raises(ProviderError, match="of that name"):
        await spawner.start(order("ada"))
    assert (await get(session, "api/status"))[0] == 200


async def test_a_kernel_runs_in_it(session: Spawned, tenant: Tenant) -> None:
    program = """
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=30)
client.execute_interactive("print(6 * 7)", timeout=20)
manager.shutdown_kernel(now=True)
"""
    assert "42" in tenant(session, *python(program))


async def test_its_socket_is_where_no_tenant_reaches(session: Spawned, tenant: Tenant) -> None:
    path = session.address.removeprefix("unix:")
    assert stat.S_ISSOCK(os.lstat(path).st_mode)
    said = tenant(session, *python("import os; os.symlink('/run/docker.sock', '/run/amalthea/sock')"))
    assert "FileNotFoundError" in said
    assert "FileNotFoundError" in tenant(session, *python("open('/run/amalthea/fill', 'w')"))


async def test_a_visitor_can_write_to_the_home_and_scratch_and_nowhere_else(session: Spawned, tenant: Tenant) -> None:
    program = """
import os
for directory, _, _ in os.walk("/"):
    if not directory.startswith(("/proc", "/sys")):
        try:
            open(directory + "/x", "w").close()
            print(directory)
        except OSError:
            pass
"""
    written = set(tenant(session, *python(program)).split())
    assert {"/home/jovyan", "/tmp", "/data"} <= written
    allowed = ("/home/jovyan", "/tmp", "/data", "/dev/shm", "/dev/mqueue")
    assert not [one for one in written if not one.startswith(allowed)]


async def test_a_visitor_is_no_root_and_does_not_become_it(session: Spawned, tenant: Tenant) -> None:
    status = dict(line.split(":", 1) for line in tenant(session, "cat", "/proc/self/status").splitlines())
    assert "0" not in status["Uid"].split()
    assert status["Gid"].split() == ["100"] * 4
    assert (int(status["CapEff"], 16), int(status["CapBnd"], 16)) == (0, 0)
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")


async def test_no_two_sessions_run_as_the_same_user(spawner: DockerSpawner, tenant: Tenant) -> None:
    sessions = [await spawner.start(order(name)) for name in ("one", "other")]
    assert len({tenant(session, "id", "-u") for session in sessions}) == 2


async def test_calls_that_open_the_kernel_are_refused(session: Spawned, tenant: Tenant) -> None:
    said = tenant(session, *python("import ctypes; print(ctypes.CDLL(None).unshare(0x10000000))"))
    assert said.strip() == "-1"


async def test_there_is_no_way_out_and_no_way_to_a_neighbour(spawner: DockerSpawner, tenant: Tenant) -> None:
    one, _ = await asyncio.gather(spawner.start(order("one")), spawner.start(order("other")))
    assert tenant(one, *python("import socket; print(socket.if_nameindex())")).count("(") == 1
    said = tenant(one, *python("import socket; socket.create_connection(('192.0.2.1', 80), 2)"))
    assert "unreachable" in said
    assert "secret" not in said
    assert "other" not in tenant(one, *python("import os; print(os.environ, os.listdir('/proc'), os.listdir('/run'))"))


async def test_the_disk_is_bounded_in_bytes_and_in_files(session: Spawned, tenant: Tenant) -> None:
    big = "open('/home/jovyan/big', 'wb').write(bytes(17 * 2**20))"
    assert "No space left" in tenant(session, *python(big))
    many = "import os; [open(f'/home/jovyan/{n}', 'w').close() for n in range(300)]"
    assert "No space left" in tenant(session, *python(many))


async def test_processes_are_bounded(session: Spawned, tenant: Tenant) -> None:
    program = "import subprocess\nfor n in range(100): subprocess.Popen(['sleep', '30'])"
    assert "BlockingIOError" in tenant(session, *python(program))


async def test_open_files_are_bounded_and_nothing_is_dumped(session: Spawned, tenant: Tenant) -> None:
    program = "from resource import *; print(getrlimit(RLIMIT_NOFILE), getrlimit(RLIMIT_CORE))"
    assert tenant(session, *python(program)).strip() == "(512, 512) (0, 0)"


async def test_a_process_that_takes_all_memory_is_killed_and_counted(
    spawner: DockerSpawner, session: Spawned, tenant: Tenant
) -> None:
    assert (await spawner.usage("ada")).kills in (0, None)
    tenant(session, *python("hoard = [bytearray(2**20) for _ in range(1000)]"))
    assert (await spawner.usage("ada")).kills in (1, None)
    assert (await get(session, "api/status"))[0] == 200


async def test_usage_says_what_was_used(spawner: DockerSpawner, session: Spawned, tenant: Tenant) -> None:
    before = await spawner.usage("ada")
    tenant(session, *python("open('/home/jovyan/x', 'wb').write(bytes(2**20)); sum(range(10**7))"))
    began = time.monotonic()
    after = await spawner.usage("ada")
    assert time.monotonic() - began < (0.5 if os.geteuid() == 0 else 5)
    assert before.memory is not None
    assert 20 * MEBIBYTE < before.memory < 200 * MEBIBYTE
    assert before.cpu is not None
    assert after.cpu is not None
    assert after.cpu > before.cpu > 0
    assert (after.processes or 0) >= 1
    if after.disk is not None:
        assert (after.disk, after.files) == (MEBIBYTE, (before.files or 0) + 1)


async def test_usage_of_an_ended_session_is_an_error(spawner: DockerSpawner, session: Spawned) -> None:
    await spawner.stop(session.name)
    for name in (session.name, "nobody"):
        with pytest.raises(ProviderError):
            await spawner.usage(name)


async def test_a_throttled_session_gets_less_cpu(spawner: DockerSpawner, session: Spawned, tenant: Tenant) -> None:
    await spawner.throttle("ada", cpu=0.2)
    spin = "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    assert float(tenant(session, *python(spin))) < 0.9


async def test_a_stopped_session_says_so_and_is_gone(spawner: DockerSpawner, session: Spawned) -> None:
    ending = asyncio.create_task(spawner.ended("ada"))
    await spawner.stop("ada")
    assert await ending == await spawner.ended("ada") == "it was stopped"
    with pytest.raises(OSError):  # noqa: PT011 - there is no server, whatever the kernel calls that
        await get(session, "api/status")


async def test_a_server_that_is_shut_down_from_inside_has_ended(
    spawner: DockerSpawner, session: Spawned, tenant: Tenant
) -> None:
    tenant(session, *python("import os, signal; os.kill(1, signal.SIGTERM)"))
    assert await asyncio.wait_for(spawner.ended("ada"), 20) == "its server ended"
    assert await spawner.running() == {}


async def test_a_server_that_has_no_memory_left_has_ended_for_that(spawner: DockerSpawner, tenant: Tenant) -> None:
    full = await spawner.start(
        order("full", limits={"memory": ByteSize(100 * MEBIBYTE), "disk": ByteSize(200 * MEBIBYTE)})
    )
    tenant(full, *python("while True: open('/home/jovyan/x', 'ab').write(bytes(2**20))"))
    assert "ran out of memory" in await asyncio.wait_for(spawner.ended("full"), 20)


async def test_an_order_with_too_little_memory_is_an_error_and_leaves_nothing(spawner: DockerSpawner) -> None:
    with pytest.raises(ProviderError, match="as it started"):
        await spawner.start(order("hungry", limits={"memory": ByteSize(16 * MEBIBYTE)}))
    assert await spawner.running() == {}


async def test_to_stop_or_forget_what_is_not_there_is_success(spawner: DockerSpawner) -> None:
    await spawner.stop("nobody")
    await spawner.forget("nobody")
    with pytest.raises(ProviderError):
        await spawner.ended("nobody")


async def test_files_are_read_and_written_while_it_runs(
    spawner: DockerSpawner, session: Spawned, tenant: Tenant
) -> None:
    home = spawner.home("ada")
    await home.write("given/a.py", b"print(1)", executable=True)
    assert tenant(session, "/bin/sh", "-c", "python3 given/a.py; echo more >> given/a.py; cat given/a.py") == (
        "1\nprint(1)more\n"
    )
    assert await home.read("given/a.py", most=100) == b"print(1)more\n"
    assert [(one.path, one.executable) for one in await home.scan()] == [("given/a.py", True)]


@ROOT
async def test_files_are_there_until_it_is_forgotten_however_it_ended(
    spawner: DockerSpawner, session: Spawned, tenant: Tenant
) -> None:
    home = spawner.home("ada")
    await home.write("work", b"of hours")
    tenant(session, *python("import os, signal; os.kill(1, signal.SIGTERM)"))
    await asyncio.wait_for(spawner.ended("ada"), 20)
    assert [one.path for one in await home.scan()] == ["work"]
    await spawner.forget("ada")
    with pytest.raises(ProviderError, match="forgotten"):
        await home.read("work", most=100)
    with pytest.raises(ProviderError):
        spawner.home("ada")


async def test_a_link_in_the_home_leads_nowhere(spawner: DockerSpawner, session: Spawned, tenant: Tenant) -> None:
    tenant(session, *python("import os; os.symlink('/etc', 'etc'); os.symlink('/etc/passwd', 'p'); os.mkfifo('f')"))
    home = spawner.home("ada")
    assert await home.scan() == []
    for path in ("p", "etc/passwd", "f"):
        with pytest.raises(ProviderError):
            await home.read(path, most=10**6)


@ROOT
async def test_the_only_way_out_is_a_socket_in_its_own_network(
    spawner: DockerSpawner, session: Spawned, tenant: Tenant
) -> None:
    door = spawner.egress("ada")
    assert door is not None
    assert spawner.egress("ada") is door
    program = "import socket; print(socket.create_connection(('127.0.0.1', 3128)).recv(9).decode())"
    asking = asyncio.create_task(asyncio.to_thread(tenant, session, *python(program)))
    visitor, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(door), 10)
    with visitor:
        visitor.sendall(b"the proxy")
    assert await asking == "the proxy\n"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", 3128), 1):  # noqa: PT011
        pass
    assert "3128" in tenant(session, *python("import os; print(os.environ['https_proxy'])"))


@ROOT
async def test_whoever_waits_at_the_door_is_woken_when_the_session_ends(
    spawner: DockerSpawner, session: Spawned
) -> None:
    door = spawner.egress(session.name)
    assert door is not None
    waiting = asyncio.create_task(asyncio.get_running_loop().sock_accept(door))
    await asyncio.sleep(0)
    await spawner.stop(session.name)
    with pytest.raises(OSError, match="Invalid argument"):
        await asyncio.wait_for(waiting, 10)


async def test_those_who_forget_it_late_do_not_touch_the_next_of_that_name(
    spawner: DockerSpawner, session: Spawned
) -> None:
    late = [asyncio.create_task(spawner.forget(session.name)) for _ in range(3)]
    await late[0]
    following = await spawner.start(order(session.name))
    await asyncio.gather(*late)
    assert (await get(following, "api/status"))[0] == 200


async def test_an_order_that_nobody_waits_for_leaves_nothing(spawner: DockerSpawner, directory: Path) -> None:
    for delay in (0.01, 0.1, 0.3):
        starting = asyncio.create_task(spawner.start(order("hasty")))
        await asyncio.sleep(delay)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert await spawner.running() == {}
        assert not list(directory.glob("*/hasty"))  # noqa: ASYNC240


async def test_an_unknown_environment_and_an_odd_name_are_errors(spawner: DockerSpawner) -> None:
    for name in ("../up", "A", "", "a" * 64):
        with pytest.raises(ProviderError, match="named"):
            await spawner.start(order(name))


async def test_several_start_and_end_side_by_side(spawner: DockerSpawner) -> None:
    names = [f"one-{n}" for n in range(4)]
    began = time.monotonic()
    await asyncio.gather(*(spawner.start(order(name)) for name in names))
    assert set(await spawner.running()) == set(names)
    await asyncio.gather(*(spawner.forget(name) for name in names))
    assert await spawner.running() == {}
    assert time.monotonic() - began < 60


@ROOT
async def test_the_walls_stand_here(spawner: DockerSpawner) -> None:
    missing = {one.name for one in spawner.guarantees() if not one.holds}
    assert not missing
