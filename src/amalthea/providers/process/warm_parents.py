"""The warm parents of one spawner: the newest of each environment, and those whose sessions still live."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment
from amalthea.providers.process.identity import plain
from amalthea.providers.process.warm_parent import WarmParent


class WarmParents:
    """Keeps one usable parent for each environment. Whoever made it closes it.

    Raises `ProviderError` for an environment whose name cannot be that of a file, or when there is none.
    """

    def __init__(self, environments: Sequence[Environment], directory: Path) -> None:
        self._environments = {plain(one.name, "the name of an environment"): one for one in environments}
        if not self._environments:
            raise ProviderError("there is no environment to start sessions in")
        self._directory = directory
        self._current: dict[str, WarmParent] = {}
        self._retired: list[WarmParent] = []
        self._locks = {name: asyncio.Lock() for name in self._environments}

    @property
    def names(self) -> tuple[str, ...]:
        """The environments that there are."""
        return tuple(self._environments)

    async def start(self) -> None:
        """Start them all, at the same time. Raises `ProviderError`."""
        found = await asyncio.gather(*(self.usable(name) for name in self.names), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                raise one

    async def usable(self, name: str) -> WarmParent:
        """The parent of that environment; a new one when it died, or when packages were installed since it began.

        Sessions of the old one live on. Raises `ProviderError`.
        """
        if name not in self._environments:
            known = ", ".join(self.names)
            raise ProviderError(f"there is no such environment; there are: {known}", where=repr(name[:80]))
        async with self._locks[name]:
            current = self._current.get(name)
            if current is None or not current.usable():
                new = await WarmParent.start(self._environments[name], directory=self._directory)
                self._current[name] = new
                if current is not None:
                    self._retired.append(current)
            found = self._current[name]
        await self.tidy()
        return found

    async def tidy(self) -> None:
        """End the old ones that have no session left."""
        idle = [parent for parent in self._retired if not parent.sessions]
        self._retired = [parent for parent in self._retired if parent.sessions]
        for parent in idle:
            await parent.aclose()

    async def aclose(self) -> None:
        """End them all, and every session with them."""
        everyone = [*self._current.values(), *self._retired]
        self._current, self._retired = {}, []
        for parent in everyone:
            await parent.aclose()
