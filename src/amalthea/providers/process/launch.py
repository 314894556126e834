"""Start one keeper and hear from it how the first start of its program went."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from amalthea.model.errors import ProviderError
from amalthea.providers.process import log
from amalthea.providers.process.keeper import GOOD
from amalthea.providers.process.observation import Sighting

KEEPER_SCRIPT = Path(__file__).with_name("keeper.py")
PATIENCE_SECONDS = 20.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a keeper is told. `held` are descriptors of bound sockets, `lifeline` the end of a pipe, or None."""

    key: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: str
    log: Path
    grace: float
    outlives: bool
    held: Sequence[int] = ()
    lifeline: int | None = None
    adopt: Sighting | None = None

    def words(self, report: int) -> list[str]:
        """The keeper's command line."""
        told = {
            "grace": f"{self.grace:.3f}",
            "log": self.log,
            "limit": log.LIMIT,
            "report": report,
            "outlives": "yes" if self.outlives else "no",
            "hold": ",".join(map(str, self.held)),
        }
        if self.lifeline is not None:
            told["lifeline"] = self.lifeline
        if self.adopt is not None:
            told["adopt"] = f"{self.adopt.pid}:{self.adopt.born}"
        words = [f"{name}={value}" for name, value in told.items()]
        return [sys.executable, "-I", "-S", str(KEEPER_SCRIPT), *words, "--", *self.argv]


def launch(order: Order, output: int) -> None:
    """Start the keeper, which writes to `output`; returns when its program runs. Raises `ProviderError`."""
    heard, report = os.pipe()
    try:
        try:
            _spawn(order, output, report)
        finally:
            os.close(report)
        answer = _hear(heard)
    finally:
        os.close(heard)
    if answer != GOOD:
        raise ProviderError(
            answer or "the keeper ended before it could start the program",
            where=order.key,
            hint=f"The log is {order.log}",
        )


def _spawn(order: Order, output: int, report: int) -> None:
    """Run the process that forks the keeper; it is gone when this returns."""
    passed = [report, *order.held] + ([] if order.lifeline is None else [order.lifeline])
    try:
        subprocess.run(
            order.words(report),
            env=order.environment,
            cwd=order.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=passed,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ProviderError(f"cannot start a keeper: {error}", where=order.key) from error


def _hear(heard: int) -> str:
    """All that the keeper says, until it closes its end."""
    until, said = time.monotonic() + PATIENCE_SECONDS, b""
    while select.select([heard], [], [], max(0.0, until - time.monotonic()))[0]:
        part = os.read(heard, 4096)
        if not part:
            return said.decode(errors="replace")
        said += part
    return "the keeper did not start the program in time"
