"""The table `[services.tmpnb]`: what it may hold, and what makes sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from msgspec import Meta

from amalthea.model.errors import UsageError
from amalthea.model.wire import convert, decode, encode
from amalthea.services.tmpnb.settings import Ban, EnvironmentTable, Offer, Settings
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import tmpnb
from tests.services.tmpnb.work.scenes import HeldClock


@pytest.mark.parametrize("kind", [Settings, EnvironmentTable, Offer, Ban])
def test_every_setting_is_described_and_its_examples_fit(kind: type[msgspec.Struct]) -> None:
    defaults = {field.name for field in msgspec.structs.fields(kind) if not field.required}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        metas = [meta for meta in hint.__metadata__ if isinstance(meta, Meta)]
        assert any(meta.description for meta in metas), name
        examples = [example for meta in metas for example in meta.examples or ()]
        assert examples or name in defaults, name
        for example in examples:
            convert(example, hint)


def test_settings_survive_the_way_to_a_process_and_back() -> None:
    for settings in (Settings(), convert({"bans": [{"networks": ["192.0.2.0/24"], "reason": "x"}]}, Settings)):
        assert decode(encode(settings), Settings) == settings


@pytest.mark.parametrize(
    "table",
    [
        {"capacity": 0},
        {"pool": -1},
        {"cpu": 0},
        {"idle": "soon"},
        {"memory": "much"},
        {"environments": []},
        {"environments": [{"name": "Python 3"}]},
        {"offers": [{"title": ""}]},
        {"offers": [{"title": "x", "open": "https://evil.example"}]},
        {"offers": [{"title": "x", "open": "/lab"}]},
        {"offers": [{"title": "x", "opens": "lab"}]},
        {"bans": [{"networks": ["everybody"], "reason": "x"}]},
        {"frame_ancestors": ["https://a.example/path"]},
        {"frame_ancestors": ["https://a.example; script-src *"]},
        {"fallback": "mybinder.org"},
        {"github_url": "ftp://example.org"},
        {"session_hosts": "port"},
        {"backend": "magic"},
        {"poool": 3},
    ],
)
def test_what_a_setting_cannot_be_is_an_error_of_the_fleet_file(table: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(table, Settings)


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ({"offers": [{"title": "x", "environment": "julia"}]}, "offers"),
        ({"offers": [{"title": "x", "repository": "gh/../x"}]}, "offers"),
        ({"environments": [{"name": "a"}, {"name": "a"}]}, "environments"),
        ({"longest": "1 h", "lifetime": "2 h"}, "longest"),
        ({"idle": "0 s"}, "idle"),
        ({"lifetime": "0 s", "longest": "0 s"}, "idle"),
        ({"save_every": "0 s"}, "save_every"),
        ({"keep": "5 min"}, "keep"),
        ({"bans": [{"networks": ["192.0.2.1/8"], "reason": "x"}]}, "bans"),
        ({"trusted_proxies": ["192.0.2.1/8"]}, "trusted_proxies"),
    ],
)
async def test_what_makes_no_sense_is_an_error_of_the_fleet_file_that_says_where(
    place: Path, store: MemoryStore, clock: HeldClock, table: dict[str, Any], where: str
) -> None:
    with pytest.raises(UsageError) as error:
        async with tmpnb(place, store=store, clock=clock, **table):
            pass
    assert error.value.where == f"services.tmpnb.{where}"


def test_the_limits_of_a_session_are_those_of_the_table() -> None:
    table = {"memory": "1 GiB", "cpu": 2, "processes": 7, "disk": "3 MiB", "files": 11}
    limits = convert(table, Settings).limits
    assert (limits.memory, limits.cpu, limits.processes, limits.disk, limits.files) == (1 << 30, 2, 7, 3 << 20, 11)
