"""What every spawner has to do. A suite for one spawner inherits this and gives the fixture `spawner`: an open one.

Its first environment is called `base` and has JupyterLab and a Python kernel. The spawner may be shared by tests:
each uses names of its own and forgets its sessions.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import HomeFile, Limits, Order, Spawner
from amalthea.model.units import ByteSize
from tests.contracts.notebook import Visitor

MIB = 2**20
SECONDS = 30.0
GENEROUS = Limits(memory=ByteSize(512 * MIB), cpu=2.0, processes=128, disk=ByteSize(32 * MIB), files=2000)


def an_order(**fields: Any) -> Order:
    """An order for a session with a name that no other has."""
    name = f"s-{secrets.token_hex(6)}"
    fields = {"name": name, "environment": "base", "limits": GENEROUS, **fields}
    return Order(**{"base_url": f"/s/{fields['name']}/", "token": secrets.token_hex(16), **fields})


@asynccontextmanager
async def visiting(spawner: Spawner, **fields: Any) -> AsyncIterator[Visitor]:
    """A session, which is forgotten afterwards."""
    order = an_order(**fields)
    try:
        yield Visitor(await spawner.start(order), order)
    finally:
        await spawner.forget(order.name)


async def refused(visitor: Visitor) -> bool:
    """Whether nobody answers at its address."""
    try:
        return (await visitor.ask("api/status")).status >= 500
    except (OSError, IndexError):
        return True


class SpawnerContract:
    """Inherit this, and give the fixture `spawner`."""

    async def test_a_started_session_answers_whoever_has_its_token(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            assert (await visitor.ask("api/status")).status == 200

    async def test_whoever_lacks_the_token_is_turned_away(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            assert (await visitor.ask("api/contents", token="")).status == 403
            assert (await visitor.ask("api/contents", token="guessed")).status == 403

    async def test_it_has_the_interface_of_lab_and_that_of_notebook(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            for page in ("lab", "tree"):
                assert (await visitor.ask(page)).status == 200

    async def test_code_runs(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            assert await visitor.run("print(6 * 7)") == "42"

    async def test_a_session_is_seen_while_it_runs(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            seen = (await spawner.running())[visitor.order.name]
            assert (seen.name, seen.environment, seen.address) == (visitor.order.name, "base", visitor.address)
            assert seen.started.tzinfo is not None
        assert visitor.order.name not in await spawner.running()

    async def test_sessions_may_start_at_the_same_time(self, spawner: Spawner) -> None:
        async with contextlib.AsyncExitStack() as stack:
            visits = (stack.enter_async_context(visiting(spawner)) for _ in range(4))
            visitors = await asyncio.gather(*visits)
            answers = await asyncio.gather(*(visitor.ask("api/status") for visitor in visitors))
            assert [answer.status for answer in answers] == [200] * 4

    async def test_a_name_that_is_taken_is_refused_and_the_session_lives_on(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            with pytest.raises(ProviderError):
                await spawner.start(visitor.order)
            assert (await visitor.ask("api/status")).status == 200

    async def test_an_unknown_environment_is_refused(self, spawner: Spawner) -> None:
        with pytest.raises(ProviderError):
            await spawner.start(an_order(environment="no-such"))

    @pytest.mark.parametrize("name", ["", "../up", "a/b", "Capital", "a b", "x" * 300])
    async def test_a_name_that_could_mean_something_else_is_refused(self, spawner: Spawner, name: str) -> None:
        with pytest.raises(ProviderError):
            await spawner.start(an_order(name=name, base_url="/s/x/"))

    # The end.

    async def test_a_stopped_session_is_gone_when_stop_returns(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            await visitor.run("1")
            await spawner.stop(visitor.order.name)
            assert visitor.order.name not in await spawner.running()
            assert await refused(visitor)

    async def test_to_stop_or_forget_what_is_not_there_is_success(self, spawner: Spawner) -> None:
        await spawner.stop("no-such")
        await spawner.forget("no-such")

    async def test_several_stops_at_once_all_succeed(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            await asyncio.gather(*(spawner.stop(visitor.order.name) for _ in range(4)))
            assert visitor.order.name not in await spawner.running()

    async def test_it_is_said_that_a_session_was_stopped(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            waiting = asyncio.create_task(spawner.ended(visitor.order.name))
            await asyncio.sleep(0)
            await spawner.stop(visitor.order.name)
            assert "stopped" in await asyncio.wait_for(waiting, SECONDS)
            assert "stopped" in await spawner.ended(visitor.order.name)

    async def test_a_session_ends_when_its_visitor_shuts_it_down(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            await visitor.ask("api/shutdown", method="POST")
            assert "ended" in await asyncio.wait_for(spawner.ended(visitor.order.name), SECONDS)
            assert visitor.order.name not in await spawner.running()

    async def test_a_forgotten_name_may_be_used_again(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            name = visitor.order.name
        async with visiting(spawner, name=name) as visitor:
            assert (await visitor.ask("api/status")).status == 200

    async def test_a_forgotten_session_has_neither_files_nor_figures(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            name = visitor.order.name
            home = spawner.home(name)
        with pytest.raises(ProviderError):
            spawner.home(name)
        with pytest.raises(ProviderError):
            await home.scan()
        with pytest.raises(ProviderError):
            await spawner.usage(name)

    # What it uses.

    async def test_what_is_known_of_its_use_is_plausible(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            await visitor.run("x = bytearray(50_000_000)")
            used = await spawner.usage(visitor.order.name)
            assert used.memory is None or 20 * MIB < used.memory < GENEROUS.memory
            assert used.cpu is None or 0 < used.cpu < SECONDS
            assert used.processes is None or 1 < used.processes <= GENEROUS.processes
            assert used.kills in (None, 0)

    async def test_a_throttled_session_still_answers(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            await spawner.throttle(visitor.order.name, cpu=0.5)
            assert (await visitor.ask("api/status")).status == 200

    async def test_every_wall_has_a_name_and_a_promise_and_one_that_is_missing_a_reason(self, spawner: Spawner) -> None:
        walls = spawner.guarantees()
        assert len({wall.name for wall in walls}) == len(walls) > 0
        assert all(wall.promise and (wall.holds or wall.detail) for wall in walls)

    # Its files.

    async def test_what_a_notebook_writes_is_found_also_after_the_end(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            code = "import os; os.makedirs('a/b'); print('hello', end='', file=open('a/b/c.txt', 'w'))"
            assert await visitor.run(code) == ""
            await spawner.stop(visitor.order.name)
            home = spawner.home(visitor.order.name)
            assert (await found(home.scan, "a/b/c.txt")).size == 5
            assert await home.read("a/b/c.txt", most=5) == b"hello"

    async def test_what_is_written_is_seen_inside_and_belongs_to_the_visitor(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            await spawner.home(visitor.order.name).write("made/here.py", b"print(1)", executable=True)
            code = "open('made/here.py', 'a').write('#'); import os; print(os.access('made/here.py', os.X_OK))"
            assert await visitor.run(code) == "True"
            file = await found(spawner.home(visitor.order.name).scan, "made/here.py")
            assert (file.size, file.executable) == (9, True)

    async def test_links_pipes_and_long_files_are_not_read(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            code = (
                "import os, pathlib; os.symlink('/etc/passwd', 'link'); os.mkfifo('pipe'); os.symlink('/etc', 'far'); "
                "os.mkdir('directory'); pathlib.Path('long').write_bytes(bytes(100)); print('made')"
            )
            assert await visitor.run(code) == "made"
            home = spawner.home(visitor.order.name)
            for path in ("link", "pipe", "far/passwd", "directory", "absent", "long/x"):
                with pytest.raises(ProviderError):
                    await asyncio.wait_for(home.read(path, most=10**6), SECONDS)
            with pytest.raises(ProviderError):
                await home.read("long", most=99)
            paths = {file.path for file in await home.scan()}
            assert "long" in paths
            assert not paths & {"link", "pipe", "far", "far/passwd", "directory"}

    async def test_nothing_is_written_through_a_link(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            await visitor.run("import os; os.mkdir('real'); os.symlink('real', 'far'); os.symlink('real/x', 'link')")
            home = spawner.home(visitor.order.name)
            with pytest.raises(ProviderError):
                await home.write("far/file", b"x")
            await home.write("link", b"replaced")
            assert await home.read("link", most=100) == b"replaced"

    @pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a\0b", "a/"])
    async def test_a_path_that_leads_elsewhere_is_refused(self, spawner: Spawner, path: str) -> None:
        async with visiting(spawner) as visitor:
            home = spawner.home(visitor.order.name)
            with pytest.raises(ProviderError):
                await home.read(path, most=10**6)
            with pytest.raises(ProviderError):
                await home.write(path, b"x")

    async def test_one_session_does_not_see_the_files_of_another(self, spawner: Spawner) -> None:
        async with visiting(spawner) as one, visiting(spawner) as other:
            await spawner.home(one.order.name).write("secret.txt", b"x")
            assert (await one.ask("api/contents/secret.txt")).status == 200
            assert (await other.ask("api/contents/secret.txt")).status == 404

    # Its network, and where it is shown.

    async def test_the_only_way_out_is_the_socket_that_is_handed_out(self, spawner: Spawner) -> None:
        async with visiting(spawner) as visitor:
            egress = spawner.egress(visitor.order.name)
            if egress is None:
                pytest.skip("sessions of this spawner share a network")
            code = "import socket; s = socket.create_connection(('127.0.0.1', 3128)); print(s.recv(5).decode())"
            asking = asyncio.create_task(visitor.run(code))
            connection, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(egress), SECONDS)
            with connection:
                connection.sendall(b"hello")
                assert await asking == "hello"

    async def test_only_the_named_origins_may_show_it_in_a_frame(self, spawner: Spawner) -> None:
        async with visiting(spawner, ancestors=("https://class.example",)) as visitor:
            policy = (await visitor.ask("lab")).headers["content-security-policy"]
            assert "frame-ancestors 'self' https://class.example" in policy


async def found(scan: Callable[[], Any], path: str) -> HomeFile:
    """The file with that path."""
    files: list[HomeFile] = await scan()
    assert [file.path for file in files] == sorted(file.path for file in files)
    return next(file for file in files if file.path == path)
