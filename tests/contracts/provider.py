"""What every provider has to do. A suite for one provider inherits this and gives the fixture `provider`.

The provider under test runs `tests/providers/process/example.py` where a workload asks for `amalthea`, and
knows no other program.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from amalthea.model.errors import ProviderError
from amalthea.model.provider import Provider, Standing
from amalthea.model.units import Duration
from amalthea.model.workload import Running, State, Workload

SHORT = Duration(5)
T = TypeVar("T")


def example(*arguments: str, name: str = "example", **fields: Any) -> Workload:
    """A workload that runs the example program."""
    fields = {"ports": {"http": 0}, "grace": SHORT, **fields}
    return Workload(name=name, service="nbviewer", argv=("amalthea", *arguments), **fields)


async def until(ask: Callable[[], Awaitable[T]], good: Callable[[T], object], *, seconds: float = 15) -> T:
    """Ask again and again, until the answer is good."""
    deadline = time.monotonic() + seconds
    while not good(answer := await ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        await asyncio.sleep(0.02)
    return answer


def fetch(running: Running) -> dict[str, Any] | None:
    """What the example program answers, or None while it does not."""
    try:
        with urlopen(f"http://{running.address}:{running.ports['http']}/", timeout=5) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
    except (URLError, ConnectionError, TimeoutError):
        return None


async def answer_of(running: Running) -> dict[str, Any]:
    """What the program answers once it is up."""
    said = await until(lambda: asyncio.to_thread(fetch, running), bool)
    assert said is not None
    return said


async def lines_of(provider: Provider, key: str, *, lines: int = 100) -> list[str]:
    """What its log holds now."""
    return [line async for line in provider.logs(key, lines=lines)]


class ProviderContract:
    """Inherit this, and give the fixture `provider`: an open one on which nothing runs."""

    async def test_nothing_runs_at_first(self, provider: Provider) -> None:
        assert await provider.running() == {}

    async def test_a_started_workload_answers_on_the_port_that_it_was_given(self, provider: Provider) -> None:
        running = await provider.start(example())
        assert running.ports["http"] > 0
        assert (await answer_of(running))["environment"]["AMALTHEA_PORT_HTTP"] == str(running.ports["http"])

    async def test_a_started_workload_is_seen_under_its_key(self, provider: Provider) -> None:
        workload = example()
        started = await provider.start(workload)
        seen = (await provider.running())[workload.key]
        assert (seen.key, seen.name, seen.service) == (workload.key, workload.name, workload.service)
        assert seen.state is State.RUNNING
        assert seen.ports == started.ports
        assert seen.started is not None
        assert seen.started.tzinfo is not None

    async def test_the_program_gets_its_arguments_its_environment_and_its_launch_text(self, provider: Provider) -> None:
        said = await answer_of(
            await provider.start(example("--say", "a b", env={"COLOUR": "grün"}, launch='{"service": "nbviewer"}'))
        )
        assert said["argv"] == ["--say", "a b"]
        assert said["environment"]["COLOUR"] == "grün"
        assert said["environment"]["AMALTHEA_LAUNCH"] == '{"service": "nbviewer"}'

    async def test_to_start_twice_is_to_start_once(self, provider: Provider) -> None:
        first = await provider.start(example())
        pid = (await answer_of(first))["pid"]
        second = await provider.start(example())
        assert second.ports == first.ports
        assert (await answer_of(second))["pid"] == pid
        assert len(await provider.running()) == 1

    async def test_many_starts_at_once_are_one(self, provider: Provider) -> None:
        started = await asyncio.gather(*(provider.start(example()) for _ in range(5)))
        assert len({one.ports["http"] for one in started}) == 1
        assert len(await provider.running()) == 1

    async def test_workloads_that_start_together_get_different_ports(self, provider: Provider) -> None:
        workloads = [example(name=f"example-{n}", ports={"http": 0, "admin": 0}) for n in range(4)]
        started = await asyncio.gather(*(provider.start(one) for one in workloads))
        numbers = [number for one in started for number in one.ports.values()]
        assert len(set(numbers)) == len(numbers)

    async def test_a_changed_workload_runs_beside_the_old_one(self, provider: Provider) -> None:
        old, new = example(), example(version="2")
        await provider.start(old)
        await provider.start(new)
        assert set(await provider.running()) == {old.key, new.key}

    async def test_a_stopped_workload_is_gone_when_stop_returns(self, provider: Provider) -> None:
        running = await provider.start(example())
        await answer_of(running)
        await provider.stop(running.key, grace=SHORT)
        assert await provider.running() == {}
        assert await asyncio.to_thread(fetch, running) is None

    async def test_to_stop_what_is_not_there_is_success(self, provider: Provider) -> None:
        await provider.stop("example.00000000", grace=SHORT)

    async def test_several_stops_at_once_all_succeed(self, provider: Provider) -> None:
        running = await provider.start(example())
        await asyncio.gather(*(provider.stop(running.key, grace=SHORT) for _ in range(4)))
        assert await provider.running() == {}

    async def test_a_stop_ends_one_workload_and_no_other(self, provider: Provider) -> None:
        kept, ended = example(name="kept"), example(name="ended")
        await provider.start(kept)
        await provider.start(ended)
        await provider.stop(ended.key, grace=SHORT)
        assert set(await provider.running()) == {kept.key}

    async def test_a_program_that_ignores_the_request_is_killed_after_the_grace(self, provider: Provider) -> None:
        running = await provider.start(example("--deaf", grace=Duration(0.5)))
        await answer_of(running)
        begun = time.monotonic()
        await provider.stop(running.key, grace=Duration(0.5))
        assert 0.4 < time.monotonic() - begun < 5
        assert await provider.running() == {}

    async def test_a_program_that_dies_is_started_again_on_the_same_port(self, provider: Provider) -> None:
        running = await provider.start(example("--die", "1"))
        first = await answer_of(running)

        async def next_life() -> dict[str, Any] | None:
            return await asyncio.to_thread(fetch, running)

        again = await until(next_life, lambda said: said is not None and said["pid"] != first["pid"])
        assert again is not None
        assert again["environment"]["AMALTHEA_PORT_HTTP"] == str(running.ports["http"])

    async def test_an_unknown_program_is_an_error_that_names_it(self, provider: Provider) -> None:
        workload = Workload(name="example", service="nbviewer", argv=("varnish",))
        with pytest.raises(ProviderError, match="varnish"):
            await provider.start(workload)
        assert await provider.running() == {}

    async def test_the_log_holds_the_last_lines_in_order(self, provider: Provider) -> None:
        running = await provider.start(example(*(word for n in range(9) for word in ("--say", f"line {n}"))))
        await answer_of(running)
        lines = await lines_of(provider, running.key)
        assert [line for line in lines if line.startswith("line ")] == [f"line {n}" for n in range(9)]
        assert await lines_of(provider, running.key, lines=3) == ["line 6", "line 7", "line 8"]
        assert await lines_of(provider, running.key, lines=0) == []

    async def test_the_log_is_followed_until_cancelled(self, provider: Provider) -> None:
        running = await provider.start(example("--tick"))
        heard: list[str] = []

        async def listen() -> None:
            async for line in provider.logs(running.key, lines=0, follow=True):
                heard.append(line)  # noqa: PERF401 - an endless comprehension would never hand over

        listening = asyncio.create_task(listen())
        await answer_of(running)
        await until(lambda: asyncio.sleep(0, [one for one in heard if one.startswith("tick")]), lambda t: len(t) > 10)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        ticks = [int(one.split()[1]) for one in heard if one.startswith("tick")]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))

    async def test_the_log_of_a_workload_that_never_was_is_an_error(self, provider: Provider) -> None:
        with pytest.raises(ProviderError):
            await lines_of(provider, "example.00000000")

    async def test_a_key_that_leads_elsewhere_is_refused(self, provider: Provider) -> None:
        with pytest.raises(ProviderError):
            await lines_of(provider, "../../../etc/passwd")

    async def test_the_account_is_in_order(self, provider: Provider) -> None:
        state = await provider.account()
        assert state.standing in (Standing.OK, Standing.LIMITED)
        assert state.checked is not None
