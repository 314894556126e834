"""Sessions of a whole fleet when things go wrong: sites die, services are killed, everything is told to stop."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import pytest
from websockets.exceptions import ConnectionClosed

from tests.system.laptop import Laptop, background, laptop
from tests.system.remains import family, groups, kill, living, service, until
from tests.system.visitor import Link, Visitor

pytest.importorskip("jupyterlab", reason="sessions need amalthea[tmpnb]")
pytestmark = pytest.mark.system

SERVICES = """
[services.tmpnb]
save_every = "1 s"
{on}
"""
WORK = "the work of an afternoon"


@contextmanager
def fleet_of_sessions(*sites: str) -> Iterator[Laptop]:
    """A fleet with nothing but sessions, at these sites; what it puts aside for a while is below its directory."""
    on = f"on = [{', '.join(map(repr, sites))}]"
    with laptop(services=SERVICES.replace("{on}", on)) as fleet:
        temporary = fleet.directory / "t"
        temporary.mkdir()
        fleet.environment = {**os.environ, "TMPDIR": str(temporary)}
        yield fleet


def temporary(fleet: Laptop) -> list[str]:
    """What there is aside."""
    return [path.name for path in (fleet.directory / "t").glob("amalthea-*")]


async def with_work(visitor: Visitor) -> Link:
    """A session with a file that has been saved and kept."""
    link = await visitor.click()
    await visitor.page(link)
    await visitor.save(link, "work.txt", WORK)
    written = time.monotonic()
    while True:
        told = (await visitor.client.get(f"{link.base}-/time", headers=link.shown)).json()
        if told["saved"] is not None and told["saved"] + 0.2 < time.monotonic() - written:  # it is rounded
            return link
        await asyncio.sleep(0.1)


async def what_happened(visitor: Visitor, link: Link, *, within: float) -> str:
    """The page that an old link leads to once its session is gone."""
    end = time.monotonic() + within
    while True:
        answer = await visitor.client.get(link.url, headers={"accept": "text/html"})
        if "Go on with your files" in answer.text:
            return answer.text
        assert time.monotonic() < end, f"HTTP {answer.status_code}: {answer.text[:500]}"
        await asyncio.sleep(0.2)


async def go_on(visitor: Visitor, page: str) -> Link:
    """Send the page's form, as its button does."""
    form = re.search(r'<form method="post" action="([^"]+)".*?</form>', page, re.DOTALL)
    assert form is not None, page
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[0])}
    answer = await visitor.client.post(form[1], data=fields)
    assert answer.status_code == 303, answer.text
    return Link.read(answer.headers["location"])


@pytest.mark.load
async def test_a_session_whose_site_dies_goes_on_at_the_other_within_ten_seconds() -> None:
    with fleet_of_sessions("north", "south") as fleet:
        fleet.run("apply")
        async with Visitor(fleet.port) as visitor:
            link = await with_work(visitor)
            assert link.name.endswith("-north")
            async with visitor.channels(link, await visitor.kernel(link)) as channels:
                assert await channels.execute("6 * 7") == "42"
                lost = family(fleet, "north")
                killed = time.monotonic()
                kill(lost)
                with pytest.raises(ConnectionClosed):
                    await channels.execute("6 * 7")
            page = await what_happened(visitor, link, within=10)
            assert "Your session was at north" in page
            new = await go_on(visitor, page)
            await visitor.page(new)
            assert time.monotonic() - killed < 10
            assert new.name.endswith("-south")
            assert await visitor.read(new, "work.txt") == WORK
            await _the_old_link_leads_on(visitor, link, new)
            fleet.run("apply")
            until(lambda: fleet.get(service="try").headers["x-amalthea-site"] == "north")
            await _the_old_link_leads_on(visitor, link, new)
        assert living(lost) == []
        fleet.run("down")


async def _the_old_link_leads_on(visitor: Visitor, old: Link, new: Link) -> None:
    answer = await visitor.client.get(old.url, headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (307, new.url.replace(old.token, new.token))
    assert (await visitor.client.get(answer.headers["location"])).status_code == 200


async def test_a_killed_service_leaves_no_session_behind_and_its_work_is_found_again_at_its_site() -> None:
    with fleet_of_sessions("north") as fleet:
        fleet.run("apply")
        async with Visitor(fleet.port) as visitor:
            link = await with_work(visitor)
            await visitor.kernel(link)
            first = service(fleet)
            lost = [first, *first.children(recursive=True)]
            assert groups([link.name])
            first.kill()
            until(lambda: not living(lost))
            until(lambda: fleet.get(service="try").status_code == 200, seconds=60)
            assert service(fleet).pid != first.pid
            until(lambda: not groups([link.name]))
            new = await go_on(visitor, await what_happened(visitor, link, within=30))
            assert new.name.endswith("-north")
            assert await visitor.read(new, "work.txt") == WORK
        fleet.run("down")


@pytest.mark.parametrize("how", ["down", "Ctrl-C"])
async def test_the_end_of_a_fleet_ends_its_sessions_and_keeps_their_last_work(how: str) -> None:
    with fleet_of_sessions("north") as fleet:
        async with Visitor(fleet.port) as visitor:
            with background(fleet.command("up", "--plain"), env=fleet.environment) as up:
                fleet.until({"try": 200}, seconds=60)
                link = await with_work(visitor)
                async with visitor.channels(link, await visitor.kernel(link)) as channels:
                    await channels.execute("open('last.txt', 'w').write('the very last')")
                    everybody = family(fleet)
                    if how == "down":
                        fleet.run("down")
                    else:
                        up.send_signal(signal.SIGINT)
                    said, _ = await asyncio.to_thread(up.communicate, timeout=60)
                assert up.returncode == 0, said
            until(lambda: not living(everybody))
            assert groups([link.name]) == []
            assert temporary(fleet) == []
            assert list((fleet.state / "run").rglob("*.sock")) == []
            fleet.run("apply")
            fleet.until({"try": 200}, seconds=60)
            new = await go_on(visitor, await what_happened(visitor, link, within=30))
            assert await visitor.read(new, "last.txt") == "the very last"
            fleet.run("down")
        assert temporary(fleet) == []
