"""What a session finds when it looks around: nothing that is not its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from amalthea.model.spawner import Limits
from amalthea.model.units import ByteSize
from amalthea.providers.process.spawner import ProcessSpawner
from tests.contracts.spawner import GENEROUS, MIB, SECONDS, visiting

pytestmark = [pytest.mark.xdist_group("warm"), pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(autouse=True)
def walled(spawner: ProcessSpawner) -> None:
    missing = [wall for wall in spawner.guarantees() if wall.name == "files" and not wall.holds]
    if missing:
        pytest.skip(f"no namespaces here: {missing[0].detail}")


def holds(spawner: ProcessSpawner, name: str) -> bool:
    return next(wall.holds for wall in spawner.guarantees() if wall.name == name)


async def test_every_wall_but_those_of_cgroups_stands(spawner: ProcessSpawner) -> None:
    missing = {wall.name: wall.detail for wall in spawner.guarantees() if not wall.holds}
    assert set(missing) <= {"memory", "cpu", "pids"}, missing


async def test_only_its_own_processes_are_seen(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor:
        seen = await visitor.run("import os; print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))")
        assert json.loads(seen) == [1, 2, 3]


async def test_the_files_of_the_machine_are_not_seen(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor:
        assert await visitor.run("import os; os.listdir('/home')") == "['jovyan']"
        for path in ("/etc/shadow", "/var/log", "/srv", "/sys", "/boot", __file__):
            assert await visitor.run(f"import os; print(os.path.exists({path!r}))") == "False"


async def test_only_the_home_and_the_places_for_temporary_files_can_be_written(spawner: ProcessSpawner) -> None:
    code = """
import os, sys
for place in {places!r}:
    try:
        open(os.path.join(place, 'probe'), 'w').close()
        print(place)
    except OSError:
        pass
"""
    places = ["/", "/usr", "/etc", "/opt", sys.prefix, sys.base_prefix, "/proc/sys", "/home", "/home/jovyan", "/tmp"]
    async with visiting(spawner) as visitor:
        written = await visitor.run(code.format(places=places))
        assert written.split() == ["/home/jovyan", "/tmp"]


async def test_no_process_of_it_holds_a_descriptor_that_leads_out(spawner: ProcessSpawner) -> None:
    code = """
import os
for name in os.listdir('/proc/self/fd'):
    try:
        print(os.readlink('/proc/self/fd/' + name))
    except OSError:
        pass
"""
    async with visiting(spawner) as visitor:
        targets = set((await visitor.run(code)).split())
        plain = {target for target in targets if target.startswith("/")}
        allowed = ("/dev/", "/tmp/", "/home/jovyan", "/proc/")
        assert all(target.startswith(allowed) for target in plain), plain


async def test_nothing_of_the_service_is_in_the_environment(spawner: ProcessSpawner, place: Path) -> None:
    async with visiting(spawner) as visitor:
        found = json.loads(await visitor.run("import json, os; print(json.dumps(dict(os.environ)))"))
        assert not [name for name in found if name.startswith(("AMALTHEA", "PYTEST", "SSH"))]
        assert visitor.order.token not in json.dumps(found)
        assert str(place) not in json.dumps(found)
        assert found["HOME"] == "/home/jovyan"
        assert found["https_proxy"] == "http://127.0.0.1:3128"


async def test_the_token_of_one_session_is_not_in_the_memory_of_another(spawner: ProcessSpawner) -> None:
    code = """
import re
found = 0
needle = bytes.fromhex({needle!r})
shifted = bytes((number + 1) % 256 for number in range(256))
with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as memory:
    for line in maps:
        low, high, rights = re.match(r'(\\w+)-(\\w+) (\\S+)', line).groups()
        if rights[:2] == 'rw':
            memory.seek(int(low, 16))
            try:
                found += needle in memory.read(int(high, 16) - int(low, 16)).translate(shifted)
            except OSError:
                pass
print(found)
"""
    async with visiting(spawner) as first, visiting(spawner) as second:
        assert (await first.ask("api/status")).status == 200
        assert await second.run(code.format(needle=shifted(second.order.token))) != "0"
        assert await second.run(code.format(needle=shifted(first.order.token))) == "0"


def shifted(token: str) -> str:
    """Not the token itself, or the search would find what it searches with."""
    return bytes(number + 1 for number in token.encode()).hex()


async def test_two_sessions_draw_different_numbers(spawner: ProcessSpawner) -> None:
    code = (
        "import random, uuid, secrets, tempfile; "
        "print(random.random(), uuid.uuid4(), secrets.token_hex(), tempfile.mktemp())"
    )
    async with visiting(spawner) as one, visiting(spawner) as other:
        first, second = (await one.run(code)).split(), (await other.run(code)).split()
        assert len(first) == len(second) == 4
        assert not set(first) & set(second)


async def test_two_kernels_of_a_session_draw_different_numbers(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor:
        code = "import random; print(random.random())"
        assert await visitor.run(code) != await visitor.run(code)


async def test_a_kernel_has_a_user_and_a_name_and_no_rights(spawner: ProcessSpawner) -> None:
    code = """
import getpass, os, socket
status = dict(line.split(':\\t') for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)
print(getpass.getuser(), socket.gethostname(), os.getuid() == 0, int(status['CapEff'], 16), status['NoNewPrivs'])
"""
    async with visiting(spawner) as visitor:
        assert await visitor.run(code) == "jovyan notebook False 0 1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives each session a user of its own")
@pytest.mark.privileged
async def test_two_sessions_are_two_users(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as one, visiting(spawner) as other:
        code = "import os; print(os.getuid())"
        assert await one.run(code) != await other.run(code)


async def test_pid_1_and_the_server_cannot_be_traced_or_killed_from_a_kernel(spawner: ProcessSpawner) -> None:
    code = """
import os
for number in (1, 2):
    try:
        open(f'/proc/{number}/mem', 'rb')
        print('readable')
    except PermissionError:
        print('closed')
os.kill(1, 9)
print('lives')
"""
    async with visiting(spawner) as visitor:
        assert (await visitor.run(code)).split() == ["closed", "closed", "lives"]


async def test_there_is_no_way_out_but_the_proxy(spawner: ProcessSpawner) -> None:
    code = """
import socket
for address in (('192.0.2.1', 80), ('169.254.169.254', 80), ('127.0.0.1', 22)):
    try:
        socket.create_connection(address, timeout=2)
        print('reached')
    except OSError as error:
        print(error.errno)
"""
    async with visiting(spawner) as visitor:
        assert "reached" not in await visitor.run(code)


async def test_a_full_home_is_an_error_inside_and_costs_nobody_else(spawner: ProcessSpawner) -> None:
    limits = Limits(memory=GENEROUS.memory, cpu=2, processes=100, disk=ByteSize(4 * MIB), files=50)
    bytes_code = "open('big', 'wb').write(bytes(5 * 2**20))"
    many_code = "import os; os.unlink('big'); [open(str(n), 'w').close() for n in range(100)]"
    async with visiting(spawner, limits=limits) as visitor, visitor.kernel() as kernel:
        assert "No space left on device" in await kernel.run(bytes_code)
        used = await spawner.usage(visitor.order.name)
        assert used.disk is not None
        assert used.disk <= 4 * MIB
        assert "No space left on device" in await kernel.run(many_code)


async def test_whoever_takes_too_much_memory_loses_the_kernel_and_not_the_server(spawner: ProcessSpawner) -> None:
    if not holds(spawner, "memory"):
        pytest.skip("memory is not limited here")
    limits = Limits(memory=ByteSize(160 * MIB), cpu=2, processes=100, disk=ByteSize(4 * MIB), files=500)
    async with visiting(spawner, limits=limits) as visitor, visitor.kernel() as kernel:
        await kernel.begin("x = bytearray(400 * 2**20); print(sum(x[::4096]))")
        async with asyncio.timeout(SECONDS):
            while not (await spawner.usage(visitor.order.name)).kills:
                await visitor.ask("api/status")
                await asyncio.sleep(0.05)
        assert (await visitor.ask("api/status")).status == 200


async def test_processes_are_limited(spawner: ProcessSpawner) -> None:
    if not holds(spawner, "pids"):
        pytest.skip("processes are not limited here")
    limits = Limits(memory=GENEROUS.memory, cpu=2, processes=40, disk=ByteSize(4 * MIB), files=500)
    code = """
import subprocess
children = []
try:
    for _ in range(100):
        children.append(subprocess.Popen(['sleep', '100']))
except BlockingIOError:
    print('enough')
for child in children:
    child.kill()
"""
    async with visiting(spawner, limits=limits) as visitor:
        assert await visitor.run(code) == "enough"
