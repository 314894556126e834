"""What can be wrong with work that was kept."""

from __future__ import annotations

from amalthea.model.errors import StoreError
from amalthea.services.tmpnb.work.why import Why


class BadSnapshot(StoreError):
    """An object that should be a manifest is none, or says what no manifest of ours would."""


class BlobLost(StoreError):
    """The bytes of a file are not there, or are not those that its manifest means."""

    def __init__(self, why: Why, *, where: str) -> None:
        super().__init__(f"the file {why.text}", where=where)
        self.why = why
