"""What a long command says while it works: one line a step, a spinner under them on a terminal, JSON for machines."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from rich.status import Status

from amalthea.cli.output import console, print_json
from amalthea.fleet.event import Event, What

_SHOWN = {
    What.READY: "[green]ready[/]   ",
    What.ADOPTED: "[green]adopted[/] ",
    What.ROUTED: "[green]routed[/]  ",
    What.STOPPED: "[dim]stopped[/] ",
}


class Progress:
    """Shows events until the block ends, then how long it took."""

    def __init__(self, doing: str, done: str, *, as_json: bool) -> None:
        self._doing = doing
        self._done = done
        self._json = as_json
        self._console = console()
        self._began = time.monotonic()
        self._spinner: Status | None = None

    def __enter__(self) -> Self:
        if not self._json and self._console.is_terminal:
            self._spinner = self._console.status(self._doing)
            self._spinner.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spinner is not None:
            self._spinner.stop()
        took = time.monotonic() - self._began
        if kind is not None:
            return
        if self._json:
            print_json({"what": "done", "seconds": round(took, 3)})
        else:
            self._console.print(f"{self._done} in {took:.1f} s")

    async def follow(self, events: AsyncIterator[Event]) -> None:
        """Show every event as it comes."""
        async for event in events:
            self.show(event)

    def show(self, event: Event) -> None:
        """One step: all of them for machines, for people those that finish something."""
        if self._json:
            print_json(event)
            return
        place = f"{event.workload} at {event.site}"
        if self._spinner is not None:
            self._spinner.update(f"{self._doing}: {event.what} {place}")
        if event.what in _SHOWN:
            detail = f"  [dim]{event.detail}[/]" if event.detail else ""
            self._console.print(f"  {_SHOWN[event.what]} {place:<24} [dim]{event.seconds:5.1f} s[/]{detail}")
