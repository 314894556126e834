"""What is allowed in a fleet file and will hurt all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from amalthea.model.fleet import HERE, Account, Fleet

SOON = timedelta(days=60)


def advice(fleet: Fleet, *, today: date) -> list[str]:
    """Warnings, each with the key that it is about; none of them keeps a fleet from running."""
    found = [
        f"providers.{name}.account.{text}"
        for name, provider in fleet.providers.items()
        for text in _account(provider.account, today)
    ]
    if fleet.edge.home and fleet.edge.on != HERE:
        found.append(f'edge.home: says nothing without on = "{HERE}"; an edge at a site prefers its own site')
    return found


def _account(account: Account, today: date) -> Iterator[str]:
    if account.ends is not None and account.ends < today:
        yield f"ends: the money ended on {account.ends}"
    elif account.ends is not None and account.ends - today <= SOON:
        yield f"ends: the money ends on {account.ends}"
    if account.kind != "own" and len(account.owners) == 1:
        yield f"owners: only {account.owners[0]} can log in"
