"""The first process inside a session: builds its root, gives up its rights, starts the server, and forks kernels.

It ends when the server does, and everything else inside ends with it. What asks it for kernels is the visitor's own
server, so by then it holds no right that the visitor lacks.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from amalthea.providers.process.sandbox import calls, mounts, walls
from amalthea.providers.process.warm import kernel, messages, rights, server
from amalthea.providers.process.warm.forking import child, die_with, existing_paths
from amalthea.providers.process.warm.order import SessionOrder

EGRESS_PORT = 3128
LOG = "/tmp/session.log"  # noqa: S108 -- inside, where nobody else is


class Init:
    """Pid 1 of a session. `parent` is a pidfd of the process that it must not outlive."""

    def __init__(self, order: SessionOrder, *, listener: int, control: socket.socket, parent: int) -> None:
        self.order = order
        self._listener = listener
        self._control = control
        self._parent = parent
        self._server = 0
        self._kernels: dict[int, socket.socket] = {}
        self._ending = ""

    def run(self) -> None:
        """Until the server ends or nobody is at the other end of the control socket."""
        try:
            handed = self._build()
            rights.drop(self.order, parent=self._parent)
            self._settle()
            if self.order.rehearsal:
                self._look_around()
            signals = self._catch_signals()
            requests = self._start_server()
        except Exception as error:
            self._tell({"event": "failed", "problem": f"{type(error).__name__}: {error}"})
            raise
        self._tell({"event": "ready"}, handed)
        messages.close(handed)
        self._loop(signals, requests)
        if not self.order.walled:
            _end_children()
        self._tell({"event": "ended", "reason": self._ending})

    def _tell(self, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        try:
            messages.send(self._control, message, descriptors)
        except OSError:  # nobody is there any more: the loop will find that out
            return

    # Before the server runs.

    def _build(self) -> tuple[int, ...]:
        """Stand inside the walls. Returns what to hand out: the home and the way out, or nothing without walls."""
        if not self.order.walled:
            return ()
        die_with(self._parent)
        uid, gid = self._identity()
        order = self.order
        mounts.enter(mounts.Plan(uid=uid, gid=gid, disk=order.disk, files=order.files, readable=order.readable))
        calls.sethostname("notebook")
        calls.raise_loopback()
        egress = socket.create_server(("127.0.0.1", EGRESS_PORT), backlog=128)
        return os.open(mounts.HOME, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), egress.detach()

    def _look_around(self) -> None:
        order = self.order
        found = walls.examine(order.outside, uid=order.uid, disk=order.disk)
        self._tell({"event": "examined", "walls": found})

    def _identity(self) -> tuple[int, int]:
        return (self.order.uid, self.order.uid) if self.order.uid >= 0 else (os.geteuid(), os.getegid())

    def _settle(self) -> None:
        """Find itself at home: environment, directory, log, and what can be imported from here."""
        os.environ.clear()
        os.environ.update(rights.environment(self.order))
        os.chdir(self.order.home)
        sys.path[:] = [*sys.path, kernel.user_packages()]
        Path(kernel.user_packages()).mkdir(parents=True, exist_ok=True)
        existing_paths()
        if self.order.rehearsal:
            return  # what goes wrong is for whoever opens the spawner: no visitor comes
        log = LOG if self.order.walled else f"{self.order.home}/.session.log"
        number = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for stream in (1, 2):
            os.dup2(number, stream)
        os.close(number)

    def _catch_signals(self) -> int:
        ready, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        if not self.order.walled:
            signal.signal(signal.SIGTERM, self._told_to_end)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        return ready

    def _told_to_end(self, *_: object) -> None:
        self._ending = self._ending or "it was stopped"

    def _start_server(self) -> socket.socket:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener = socket.socket(fileno=self._listener)
        keep = (there.fileno(), listener.fileno())
        self._server = child(lambda: server.run(self.order, listener, there), keep=keep)
        listener.close()
        there.close()
        return here

    # While it runs.

    def _loop(self, signals: int, requests: socket.socket) -> None:
        poll = select.poll()
        for number in (signals, requests.fileno(), self._control.fileno()):
            poll.register(number, select.POLLIN)
        while not self._ending:
            ready = {number for number, _ in poll.poll()}
            if signals in ready:
                os.read(signals, 512)
            if self._control.fileno() in ready:
                self._ending = self._ending or "it was stopped"
            self._reap()
            if requests.fileno() in ready and not self._serve(requests):
                poll.unregister(requests.fileno())

    def _serve(self, requests: socket.socket) -> bool:
        """Fork the kernel that is asked for. False when nobody will ask again."""
        message, descriptors = messages.receive(requests)
        if message is None or not descriptors:
            return message is not None
        reply = socket.socket(fileno=descriptors[0])
        messages.close(descriptors[1:])
        try:
            pid = child(lambda: kernel.run(message, reply), keep=(reply.fileno(),))
            self._kernels[pid] = reply
            messages.send(reply, {"pid": pid})
        except OSError as error:
            messages.send(reply, {"problem": str(error)})
        return True

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._collected(pid, os.waitstatus_to_exitcode(status))

    def _collected(self, pid: int, code: int) -> None:
        if pid == self._server:
            self._ending = "its server ended" if code == 0 else f"its server ended with code {code}"
        reply = self._kernels.pop(pid, None)
        if reply is not None:
            _report(reply, code)


def _report(reply: socket.socket, code: int) -> None:
    with reply:
        try:
            messages.send(reply, {"code": code})
        except OSError:  # the server has stopped caring about this kernel
            return


def _end_children() -> None:
    """Kill what is left, and what that leaves behind, until nothing is."""
    while True:
        for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
