"""A workload that changes in any way is another workload."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from amalthea.model.fleet import Names, Site
from amalthea.model.service import Launch
from amalthea.model.units import Duration
from amalthea.model.wire import decode, encode
from amalthea.model.workload import Feature, Workload

PLAIN = Workload(name="nbviewer-1", service="nbviewer", argv=("amalthea", "serve", "nbviewer"))


@pytest.mark.parametrize(
    "change",
    [
        {"argv": ("amalthea", "serve", "status")},
        {"env": {"A": "1"}},
        {"launch": "{}"},
        {"version": "2"},
        {"ports": {"http": 8000}},
        {"grace": Duration(3)},
        {"needs": frozenset({Feature.FIXED_PORT})},
    ],
)
def test_any_change_gives_another_key(change: dict[str, Any]) -> None:
    assert msgspec.structs.replace(PLAIN, **change).key != PLAIN.key


def test_the_order_of_a_mapping_changes_nothing() -> None:
    one = msgspec.structs.replace(PLAIN, env={"A": "1", "B": "2"})
    other = msgspec.structs.replace(PLAIN, env={"B": "2", "A": "1"})
    assert one.key == other.key


def test_what_a_process_is_told_survives_the_way() -> None:
    site = Site(name="north", fleet="f", names=Names(domain="localhost", scheme="http", port=80), stores=("memory:",))
    launch = Launch(service="nbviewer", site=site, settings={"timeout": "10 s"})
    assert decode(encode(launch), Launch) == launch
