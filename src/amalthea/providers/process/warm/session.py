"""The process that stands for a session outside its walls: it puts them up, starts pid 1 inside, and waits for it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from amalthea.providers.process.sandbox import calls
from amalthea.providers.process.warm import messages
from amalthea.providers.process.warm.forking import child, die_with
from amalthea.providers.process.warm.init import Init
from amalthea.providers.process.warm.order import SessionOrder

NAMESPACES = (
    calls.CLONE_NEWNS
    | calls.CLONE_NEWPID
    | calls.CLONE_NEWIPC
    | calls.CLONE_NEWUTS
    | calls.CLONE_NEWNET
    | calls.CLONE_NEWCGROUP
)


def run(listener: int, control: socket.socket, *, parent: int) -> None:
    """Be the session, until its pid 1 has ended. `parent` is a pidfd of the warm parent.

    What goes wrong is told on `control` as `{"event": "failed", "problem": text}`.
    """
    die_with(parent)
    try:
        message, _ = messages.receive(control)
        if message is None:
            return
        order = SessionOrder.read(message)
        _join(order)
        if order.walled:
            _walled(order, listener, control)
        else:
            _plain(order, listener, control, parent)
    except Exception as error:
        messages.send(control, {"event": "failed", "problem": f"{type(error).__name__}: {error}"})
        raise


def _join(order: SessionOrder) -> None:
    """Before anything is used that is to be counted."""
    for path in order.join:
        with Path(path).open("wb", buffering=0) as file:
            file.write(b"0")


def _walled(order: SessionOrder, listener: int, control: socket.socket) -> None:
    user, group = os.geteuid(), os.getegid()
    calls.unshare(NAMESPACES | (calls.CLONE_NEWUSER if order.uid < 0 else 0))
    if order.uid < 0:
        _map(user, group)
    own = os.pidfd_open(os.getpid())
    init = Init(order, listener=listener, control=control, parent=own)
    pid = child(init.run, keep=(listener, control.fileno(), own))
    handle = os.pidfd_open(pid)
    messages.send(control, {"event": "forked"}, [handle, own])
    control.close()
    messages.close([listener, handle, own])  # not by a look at /proc: pid 1 may have changed the root by now
    os.waitpid(pid, 0)


def _map(user: int, group: int) -> None:
    """Inside its user namespace this process stays who it is; nobody else exists there."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _plain(order: SessionOrder, listener: int, control: socket.socket, parent: int) -> None:
    """Without namespaces this process itself does what pid 1 would, and becomes the parent of every orphan."""
    die_with(parent, gently=True)
    calls.prctl(calls.PR_SET_CHILD_SUBREAPER, 1)
    own = os.pidfd_open(os.getpid())
    messages.send(control, {"event": "forked"}, [own, own])
    os.close(own)
    Init(order, listener=listener, control=control, parent=parent).run()
