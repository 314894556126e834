from __future__ import annotations

from typing import get_type_hints

import msgspec
import pytest
from msgspec import Meta

from amalthea.model.fleet import Fleet, Names, Site
from amalthea.model.probe import Probe
from amalthea.model.units import Duration
from amalthea.model.wire import builtins, convert
from amalthea.services.status import Settings, Status
from tests.services.status.scenes import watch

FLEET = Fleet(name="jupyter", domain="jupyter.example.org")


def test_every_setting_is_described() -> None:
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        assert any(isinstance(note, Meta) and note.description for note in hint.__metadata__), name


def test_settings_read_as_people_write_them() -> None:
    settings = convert({"interval": "5 s", "stale_after": "1 min", "down_after": 3}, Settings)
    assert (settings.interval, settings.stale_after, settings.down_after) == (Duration(5), Duration(60), 3)
    assert convert(builtins(settings), Settings) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval": "0 s"},
        {"keep": "0 d"},
        {"recheck": "soon"},
        {"down_after": 0},
        {"up_after": -1},
        {"colour": "green"},
        {"fallback": "javascript:alert(1)"},
        {"fallback": "https://example.org/ x"},
        {"title": "x" * 121},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(wrong, Settings)


def test_observations_count_for_three_intervals_or_as_the_file_says() -> None:
    assert Settings().fresh_for([watch()]) == 30
    assert Settings(stale_after=Duration(7)).fresh_for([watch()]) == 7


def test_a_slow_probe_has_time_to_fail_twice_before_its_last_answer_is_stale() -> None:
    slow = msgspec.structs.replace(watch(), probe=Probe(name="a notebook", timeout=Duration(20)))
    assert Settings().fresh_for([watch(), slow]) == 60


def test_the_service_describes_itself() -> None:
    settings = Settings(fallback="https://status.example.net/")
    site = Site(name="north", fleet="jupyter", names=Names(domain="jupyter.example.org"))
    (route,) = Status().routes(settings, FLEET)
    assert (route.service, route.host, route.fallback.redirect) == ("status", "status", "https://status.example.net/")
    (probe,) = Status().probes(settings, FLEET)
    assert probe.contains
    (dataset,) = Status().datasets(settings)
    assert (dataset.prefix, dataset.retention) == ("status/", settings.keep)
    (workload,) = Status().workloads(settings, site)
    assert workload.argv == ("amalthea", "serve", "status")
