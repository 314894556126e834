"""The notebook that comes with nbviewer: a page for people, and the proof that rendering works."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from importlib.resources import files

from amalthea.model.clock import Clock
from amalthea.model.errors import AmaltheaError
from amalthea.services.nbviewer.press.work import Job, Kind
from amalthea.services.nbviewer.press.workers import Workers
from amalthea.services.nbviewer.render import Options
from amalthea.services.nbviewer.source import Asked, Chrome, Crumb, Document

_VERDICT_AGE = timedelta(seconds=2)
_PATIENCE = 5.0


class Sample:
    """The sample notebook as a source of its own, and whether it renders."""

    paths = ("/sample",)

    def __init__(self, workers: Workers, clock: Clock) -> None:
        self._workers = workers
        self._body = files("amalthea.services.nbviewer").joinpath("sample.ipynb").read_bytes()
        self._clock = clock
        self._verdict = ""
        self._judged: datetime | None = None
        self.document = Document(
            chrome=Chrome(name="sample.ipynb", crumbs=(Crumb("sample.ipynb"),)),
            digest=hashlib.sha256(self._body).hexdigest(),
            read=self._read,
        )

    async def resolve(self, asked: Asked) -> Document:
        """The notebook, for whoever asks for it by its path."""
        return self.document

    async def ready(self) -> str:
        """Empty when the sample renders, else what is wrong; asked anew after two seconds."""
        now = self._clock()
        if self._judged is None or now - self._judged > _VERDICT_AGE:
            self._judged, self._verdict = now, await self._judge()
        return self._verdict

    async def _judge(self) -> str:
        """Rendered afresh, outside every cache; not while every worker has a visitor's notebook, within its limits."""
        if self._workers.full:
            return self._verdict
        job = Job(kind=Kind.HTML, sources=(self._body,), chrome=self.document.chrome, options=Options())
        try:
            async with asyncio.timeout(_PATIENCE):
                made = await self._workers.make(job)
        except AmaltheaError as error:
            return f"the sample notebook does not render: {error.message}"
        except TimeoutError:
            return f"the sample notebook does not render within {_PATIENCE:g} s"
        return "" if made.packed.size else "the sample notebook renders to nothing"

    async def _read(self) -> bytes:
        return self._body
