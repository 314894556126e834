"""The process that makes pages: `python -m amalthea.services.nbviewer.press.worker`, started by `workers`.

It reads jobs from its standard input and writes answers to its standard output, each with its length in front. It
holds nothing worth stealing, opens no file and no connection, and may be killed at any moment. It ends with whoever
started it, however that one ends: its input closes, and while it is at work the kernel sends the signal.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from amalthea.model.fleet import Names
from amalthea.services.nbviewer.press.stationery import stationery
from amalthea.services.nbviewer.press.work import Job, Made, Workshop
from amalthea.services.nbviewer.render import NotANotebook

_SET_PDEATHSIG = 1
_LENGTH_BYTES = 4
_NICE = 5
_FIRST_TO_GO = "1000"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told first. `memory` is the most it may have, in bytes; `parent` the process it works for."""

    names: Names
    base: str
    memory: int
    parent: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes are no notebook: the parts of `NotANotebook`."""

    message: str
    where: str
    hint: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a job; the first, without a job, says that the worker is ready.

    resident:  bytes of memory that the worker has by now
    spent:     whether the job wanted more memory than there is
    fault:     the traceback of an error that is the renderer's own
    """

    made: Made | None = None
    refusal: Refusal | None = None
    spent: bool = False
    fault: str = ""
    resident: int = 0


def framed(value: msgspec.Struct) -> bytes:
    """A message as it goes through the pipe."""
    body = msgspec.msgpack.encode(value)
    return len(body).to_bytes(_LENGTH_BYTES) + body


def _read(pipe: BinaryIO) -> bytes | None:
    """The next message; None at the end."""
    head = pipe.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    body = pipe.read(int.from_bytes(head))
    return body if len(body) == int.from_bytes(head) else None


def answer(workshop: Workshop, job: Job) -> Answer:
    """Do one job."""
    try:
        return Answer(made=workshop.make(job), resident=_resident())
    except NotANotebook as error:
        refusal = Refusal(message=error.message, where=error.where, hint=error.hint)
        return Answer(refusal=refusal, resident=_resident())
    except MemoryError:
        return Answer(spent=True)
    except Exception:
        return Answer(fault=traceback.format_exc(), resident=_resident())


def _resident() -> int:
    """Bytes of memory in use; 0 where the system does not say."""
    with suppress(OSError):
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()
    return 0


def _be_harmless(setup: Setup) -> None:
    """Give way to whoever answers visitors, be the first to go when memory is short, and end with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    os.nice(_NICE)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    if os.getppid() != setup.parent:
        sys.exit(0)
    resource.setrlimit(resource.RLIMIT_AS, (setup.memory, setup.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Work until the input ends."""
    jobs = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that is printed gets between the answers
    first = _read(jobs)
    if first is None:
        return
    setup = msgspec.msgpack.decode(first, type=Setup)
    _be_harmless(setup)
    workshop = Workshop(stationery(setup.names, base=setup.base).pages)
    given: msgspec.Struct = Answer(resident=_resident())
    with suppress(BrokenPipeError):
        while True:
            answers.write(framed(given))
            answers.flush()
            body = _read(jobs)
            if body is None:
                return
            given = answer(workshop, msgspec.msgpack.decode(body, type=Job))


if __name__ == "__main__":
    main()
