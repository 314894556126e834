"""From a path to what stands there, in whichever source has it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from starlette.routing import compile_path

from amalthea.services.nbviewer.errors import Missing, Superseded
from amalthea.services.nbviewer.source import Answer, Asked, Source


class Finder:
    """Asks the first of some sources whose paths fit."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._patterns = [(compile_path(path)[0], source) for source in sources for path in source.paths]

    async def find(self, asked: Asked) -> Answer:
        """What stands under a path. Raises `SourceError`."""
        path = unquote(asked.raw)
        found = next((source for pattern, source in self._patterns if pattern.match(path)), None)
        if found is None:
            raise Missing("There is nothing under this path.", where=asked.raw)
        return await resolved(found, asked)


async def resolved(source: Source, asked: Asked) -> Answer:
    """What a source says; it is asked again where the thing changed meanwhile. Raises `SourceError`."""
    try:
        return await source.resolve(asked)
    except Superseded:
        return await source.resolve(asked)
