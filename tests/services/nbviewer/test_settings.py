"""Settings that would open a hole or break a policy are refused when they are read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from amalthea.model.errors import UsageError
from amalthea.model.wire import convert
from amalthea.services.nbviewer.crowds import Allowance, Crowds
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.settings import Settings

CARELESS: list[dict[str, Any]] = [
    {"frame_hosts": ["https://cdn.example.org; script-src *"]},
    {"frame_hosts": ["'self'"]},
    {"frame_hosts": ["https://a.example https://b.example"]},
    {"frame_hosts": ["*"]},
    {"content_url": "https://content.example.org;script-src"},
    {"content_url": "https://content.example.org/path"},
    {"content_url": "javascript:alert(1)"},
    {"github_raw_url": "http://raw.example.org;script-src"},
    {"github_url": "https://name:secret@github.example.org"},
    {"binder_url": "javascript:alert(1)"},
    {"fallback": "javascript:alert(1)"},
    {"private_hosts": ["https://gitlab.example.edu"]},
    {"private_hosts": ["gitlab.example.edu/"]},
    {"ports": [0]},
    {"ports": [65536]},
    {"base_url": "nbviewer"},
    {"base_url": "//evil.example/"},
    {"launch": [{"label": "x", "url": "javascript:{url}"}]},
    {"launch": [{"label": "x", "url": "{url}"}]},
    {"sections": [{"header": "x", "links": [{"text": "x", "target": "//evil.example/"}]}]},
    {"notebook_limit": "-1 MiB"},
    {"rate_limit": 0},
]

CAREFUL: list[dict[str, Any]] = [
    {"frame_hosts": []},
    {"frame_hosts": ["https:", "http:", "wss:"]},
    {"frame_hosts": ["https://cdn.example.org", "https://*.example.org:8443/lib/", "wss://x.example.org"]},
    {"content_url": "http://content.localhost:8000"},
    {"content_url": "https://[::1]:8443/"},
    {"content_url": ""},
    {"github_url": "https://github.example.edu/", "github_api_url": "https://github.example.edu/api/v3"},
    {"binder_url": ""},
    {"fallback": "https://nbviewer.org"},
    {"private_hosts": ["gitlab.example.edu", "notebooks.internal:8443"]},
]


@pytest.mark.parametrize("given", CARELESS, ids=str)
def test_a_careless_setting_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(given, Settings)


@pytest.mark.parametrize("given", CAREFUL, ids=str)
def test_a_careful_setting_is_taken(given: dict[str, Any]) -> None:
    convert(given, Settings)


def test_a_limit_without_a_time_is_refused() -> None:
    with pytest.raises(UsageError):
        Crowds(Allowance(pages=1, seconds=0), seconds=lambda: 0, instruments=Instruments(registry=CollectorRegistry()))
