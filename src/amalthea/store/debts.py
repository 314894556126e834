"""Which store is behind on which keys.

A store that missed a write *owes* that key: what it holds under it is old, or should be gone. While it owes
the key it is not asked for it. For a new object no more is needed, as anybody can see that a copy is missing;
but nobody can see that a copy is old, or that it was deleted elsewhere. So for those the debt is also written
down: a small object below `_debts/` in the stores that did not miss the write. Other processes, and this one
after a restart, read it there.

A record is removed in two steps, some time apart: first the store is given what the others hold, then, when
every write that was under way at that moment has ended, the copies are compared. Only equal copies end it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping

import msgspec

RECORDS = "_debts/"
"""The prefix of the records; no other key may begin with it, and no listing shows it."""

_OWN = ""


class Debt(msgspec.Struct, frozen=True, kw_only=True):
    """`store` (its name) is behind on `key`."""

    store: str
    key: str

    def record(self) -> str:
        """A new key for a record of it, that nobody else will choose."""
        return f"{RECORDS}{hashlib.sha256(self.store.encode()).hexdigest()[:16]}/{secrets.token_hex(16)}"


class Debts:
    """What this process knows. A debt may be known from its own failed write and from several records."""

    def __init__(self) -> None:
        self._known: dict[Debt, set[str]] = {}
        self._paid: dict[str, tuple[Debt, float]] = {}

    def __contains__(self, debt: Debt) -> bool:
        return debt in self._known

    def __iter__(self) -> Iterator[Debt]:
        return iter(tuple(self._known))

    def add(self, debt: Debt, record: str = _OWN) -> None:
        """The store missed a write."""
        self._known.setdefault(debt, set()).add(record)

    def recorded(self, debt: Debt) -> bool:
        """Whether a record of it has been written."""
        return bool(self._known.get(debt, set()) - {_OWN})

    def settle(self, debt: Debt, *, now: float) -> None:
        """The store has caught up; its records stay until they are `dropped`. `now` in monotonic seconds."""
        for record in self._known.pop(debt, set()) - {_OWN}:
            self._paid[record] = (debt, now)

    def paid_before(self, moment: float) -> dict[str, Debt]:
        """The records of debts that were settled before then."""
        return {record: debt for record, (debt, paid) in self._paid.items() if paid < moment}

    def unsettle(self, record: str) -> None:
        """It turned out that the store is still behind."""
        debt, _ = self._paid.pop(record)
        self.add(debt, record)

    def refresh(self, records: Mapping[str, Debt]) -> None:
        """Take over the records that there are now, and forget those that are gone."""
        self._paid = {record: paid for record, paid in self._paid.items() if record in records}
        for debt, known in list(self._known.items()):
            known.intersection_update(records.keys() | {_OWN})
            if not known:
                del self._known[debt]
        for record, debt in records.items():
            if record not in self._paid:
                self.add(debt, record)

    def count(self, store: str) -> int:
        """How many keys a store is behind on."""
        return sum(debt.store == store for debt in self._known)
