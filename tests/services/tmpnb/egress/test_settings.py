from __future__ import annotations

from typing import Any, get_type_hints

import msgspec
import pytest

from amalthea.model.units import ByteSize
from amalthea.model.wire import builtins, convert
from amalthea.services.tmpnb.egress.settings import EgressSettings


def test_every_setting_says_what_it_is_and_shows_one() -> None:
    for name, hint in get_type_hints(EgressSettings, include_extras=True).items():
        meta = hint.__metadata__[-1]
        assert meta.description.endswith("."), name
        for example in meta.examples:
            convert({name: example}, EgressSettings)


def test_settings_are_the_same_after_they_were_written_down() -> None:
    changed = convert({"hosts": ["a.example:8443"], "rate": "1 MiB", "networks": ["10.0.0.0/8"]}, EgressSettings)
    assert changed.rate == ByteSize(2**20)
    for settings in (EgressSettings(), changed):
        assert convert(builtins(settings), EgressSettings) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"hosts": ["https://pypi.example"]},
        {"hosts": ["pypi.example/simple"]},
        {"hosts": ["*"]},
        {"hosts": ["a.*.example"]},
        {"hosts": ["a example"]},
        {"hosts": [""]},
        {"hosts": ["a.example:0"]},
        {"hosts": ["a.example:65536"]},
        {"networks": ["10.0.0.0"]},
        {"networks": ["10.0.0.1/8"]},
        {"networks": ["10.0.0.0/33"]},
        {"networks": ["a.example/8"]},
        {"tls_ports": [0]},
        {"connections": 0},
        {"connections_per_minute": 0},
        {"rate": "0 B"},
        {"upload_rate": "1 B"},
        {"idle_timeout": "0 s"},
        {"host": []},
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(wrong, EgressSettings)
