"""What a spawner makes of what a session tells, in whatever order it comes."""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Spawned
from amalthea.providers.process.belongings import Belongings
from amalthea.providers.process.session import Session
from amalthea.providers.process.uids import Uids
from amalthea.providers.process.warm import messages

SPAWNED = Spawned(name="s", environment="base", address="unix:s.sock", started=datetime(2026, 1, 1, tzinfo=UTC))


def a_session(place: Path) -> tuple[Session, socket.socket]:
    """One whose processes are whatever the other end says."""
    control, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Session(SPAWNED, control, Belongings("s", place, Uids([]))), remote


async def a_process() -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec("sleep", "1000")
    return process, os.pidfd_open(process.pid)


@pytest.mark.parametrize("first", ["forked", "ready"])
async def test_a_session_is_ready_once_both_of_its_processes_have_said_so(tmp_path: Path, first: str) -> None:
    session, remote = a_session(tmp_path)
    process, handle = await a_process()
    home = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    with remote, socket.create_server(("127.0.0.1", 0)) as egress:
        told = {"forked": [handle, handle], "ready": [home, egress.fileno()]}
        for event in sorted(told, key=lambda event: event != first):
            assert not session.lives()
            messages.send(remote, {"event": event}, told[event])
        await asyncio.wait_for(session.ready(), 5)
    messages.close([handle, home])
    assert session.lives()
    await session.stop()
    assert await session.over() == "it was stopped"
    assert await process.wait() == -9
    await session.discard()


async def test_a_session_that_says_nothing_before_its_end_was_not_started(tmp_path: Path) -> None:
    session, remote = a_session(tmp_path)
    remote.close()
    with pytest.raises(ProviderError, match="ended at once"):
        await session.ready()
    await session.discard()


async def test_what_a_session_says_of_its_failure_is_passed_on(tmp_path: Path) -> None:
    session, remote = a_session(tmp_path)
    with remote:
        messages.send(remote, {"event": "failed", "problem": "no room"})
        with pytest.raises(ProviderError, match="no room"):
            await session.ready()
    await session.discard()
