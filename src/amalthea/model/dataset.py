"""A part of a store that a service owns."""

from __future__ import annotations

import msgspec

from amalthea.model.units import Duration


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Every object below `prefix`: how long it is kept, whether it is backed up, how much may be lost.

    `rpo` is the recovery point objective; None where the data can be made again, as a cache can.
    """

    prefix: str
    retention: Duration | None = None
    backup: bool = True
    rpo: Duration | None = None
