"""Kernels by a fork of pid 1, for Python; any other kernel is started as ever."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from typing import Any, ClassVar

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from amalthea.providers.process.warm import kernel, messages

NAME = "amalthea"
_PATIENCE_SECONDS = 30.0
_INTERPRETERS = ("python", "python3", f"python3.{sys.version_info[1]}", sys.executable)
_LAUNCHER = ["-m", "ipykernel_launcher", "-f"]


class ForkedKernel:
    """A kernel that is somebody else's child, with what `Popen` would know of it. `pid` is inside the session."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, reply: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._reply = reply

    def poll(self) -> int | None:
        """Its exit code, once pid 1 has told it; negative for a signal."""
        while self.returncode is None:
            try:
                body = self._reply.recv(messages.MOST_BYTES)
            except BlockingIOError:
                return None
            if body != kernel.READY:
                self.returncode = json.loads(body)["code"] if body else -signal.SIGKILL
                self._reply.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; whoever calls has seen `poll` give it."""
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended: then its number may be another's."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class ForkProvisioner(LocalProvisioner):
    """Asks pid 1 for kernels on `requests`, which the server sets once."""

    requests: ClassVar[socket.socket]

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork, or where that is not the kernel that was forked for: run the command."""
        if not _is_ours(cmd):
            return await super().launch_kernel(cmd, **kwargs)
        reply, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with remote:
            request = {
                "connection_file": cmd[-1],
                "cwd": kwargs.get("cwd") or os.getcwd(),
                "env": kwargs.get("env") or dict(os.environ),
            }
            messages.send(self.requests, request, [remote.fileno()])
        reply.setblocking(False)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            pid = await self._begun(reply)
        self.process: Any = ForkedKernel(pid, reply)
        self.pid = self.pgid = pid
        return self.connection_info

    async def _begun(self, reply: socket.socket) -> int:
        """Its number, once it is ready as well: the two come from two processes, in any order."""
        pid, ready = 0, False
        while not (pid and ready):
            body = await asyncio.get_running_loop().sock_recv(reply, messages.MOST_BYTES)
            if body == kernel.READY:
                ready = True
                continue
            said = json.loads(body) if body else {}
            if "pid" not in said:
                raise RuntimeError(f"no kernel can be started: {said.get('problem', 'it ended before it was ready')}")
            pid = said["pid"]
        return pid


def _is_ours(command: list[str]) -> bool:
    return len(command) == 5 and command[0] in _INTERPRETERS and command[1:4] == _LAUNCHER
