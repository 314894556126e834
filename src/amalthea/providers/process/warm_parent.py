"""One environment's warm parent, as its owner sees it: started, asked for forks, and let go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment
from amalthea.providers.process.waiting import readable, receive
from amalthea.providers.process.warm import messages

_PROGRAM = Path(__file__).parent / "warm"
_PATIENCE_SECONDS = 60.0
_SEARCHED = "/usr/local/bin:/usr/bin:/bin"
_ASKED_WHEN_IMPORTED = {
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
"""What kernels set too late for a module that is imported before they are."""
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WarmParent:
    """A process that has an environment imported. Made by `start`; whoever started it closes it."""

    def __init__(
        self, name: str, process: subprocess.Popen[bytes], channel: socket.socket, *, about: dict[str, Any]
    ) -> None:
        self.name = name
        self._process = process
        self._channel = channel
        self._handle = os.pidfd_open(process.pid)
        self.readable_directories: tuple[str, ...] = tuple(about["readable"])
        """Where its interpreter and its packages are."""
        self._installed: dict[str, int] = about["installed"]
        self.sessions = 0
        """How many that it forked still live; whoever asks for forks counts."""

    @classmethod
    async def start(cls, environment: Environment, *, directory: Path) -> WarmParent:
        """Start one and wait until it has imported everything; its log and its home are in the directory.

        Raises `ProviderError`.
        """
        log = directory / f"{environment.name}.log"
        channel, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with remote:
                process = _launch(environment, directory, log=log, channel=remote.fileno())
        except OSError as error:
            channel.close()
            problem = f"cannot run {_python(environment)}: {error.strerror}"
            raise ProviderError(problem, where=environment.name) from error
        channel.setblocking(False)
        about = None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                about, _ = await receive(channel)
            problem = await _problem(about, process, log)
        except TimeoutError:
            problem = "importing it takes too long"
        except BaseException:
            _end(process, channel)
            raise
        if about is None or problem:
            _end(process, channel)
            problem = f"the environment cannot be used: {problem}"
            raise ProviderError(problem, where=environment.name, hint=f"See {log}.")
        return cls(environment.name, process, channel, about=about)

    def fork(self, listener: socket.socket, control: socket.socket) -> None:
        """Have a session forked that serves on one socket and is told what to be on the other.

        Raises `ProviderError` when the process is gone.
        """
        try:
            messages.send(self._channel, {}, [listener.fileno(), control.fileno()])
        except OSError as error:
            raise ProviderError(f"the process that starts sessions does not answer: {error.strerror}") from error

    def usable(self) -> bool:
        """Whether it lives, and what it has imported is what is installed."""
        return self._process.poll() is None and all(map(_unchanged, self._installed.items()))

    async def aclose(self) -> None:
        """End it, and every session that it started."""
        self._channel.close()
        try:
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        except ProcessLookupError:
            pass
        else:
            await readable(self._handle)
        self._process.wait()
        os.close(self._handle)


def _python(environment: Environment) -> str:
    return environment.python or sys.executable


def _launch(environment: Environment, directory: Path, *, log: Path, channel: int) -> subprocess.Popen[bytes]:
    """It ends when the other end of its channel is closed, so nothing else has to watch over it."""
    home = directory / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    own = {"PATH": _SEARCHED, "LANG": "C.UTF-8", "HOME": str(home), **_ASKED_WHEN_IMPORTED}
    argv = [_python(environment), "-I", str(_PROGRAM), str(channel), *environment.preload]
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            cwd="/",
            env=own | dict.fromkeys(_ONE_THREAD, "1"),
            pass_fds=[channel],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def _problem(about: dict[str, Any] | None, process: subprocess.Popen[bytes], log: Path) -> str:
    """Why a parent that has said this of itself, or ended without a word, is of no use; empty when it is."""
    if about is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, _PATIENCE_SECONDS)  # it has still to write down why
        return _last_line(log)
    if about["missing"]:
        return f"these modules cannot be imported: {', '.join(about['missing'])}"
    if about["threads"] != 1:
        return "a module that is preloaded starts threads, and a process with threads cannot be forked safely"
    return ""


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended at once"


def _end(process: subprocess.Popen[bytes], channel: socket.socket) -> None:
    channel.close()
    process.kill()
    process.wait()


def _unchanged(known: tuple[str, int]) -> bool:
    path, changed = known
    try:
        return os.stat(path).st_mtime_ns == changed
    except OSError:
        return False
