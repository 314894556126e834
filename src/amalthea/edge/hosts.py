"""Public names: whole ones, and wildcards (`*.try.example.org`) that stand for every name below another."""

from __future__ import annotations

import re

from amalthea.model.fleet import Names

_ANY = "*."


def wild(host: str) -> bool:
    """Whether `host` stands for every name below it."""
    return host.startswith(_ANY)


def public(names: Names, host: str) -> str:
    """The public name of a route's `host`; of `*.try`, every name below that of `try`."""
    return _ANY + names.host(host.removeprefix(_ANY)) if wild(host) else names.host(host)


def covers(host: str, name: str) -> bool:
    """Whether a request for `name` is one for `host`; case counts for nothing."""
    return re.fullmatch(authority(host), name) is not None


def authority(host: str, *, label: str = "[^:]+") -> str:
    """The regular expression of the Host headers, port or none, that `host` covers; `label` is that of its wildcard."""
    name = label + re.escape(host.removeprefix("*")) if wild(host) else re.escape(host)
    return f"(?i){name}(:[0-9]+)?"
