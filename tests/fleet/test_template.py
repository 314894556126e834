from __future__ import annotations

import re
import tomllib

import msgspec

from amalthea.fleet.loading import loads
from amalthea.fleet.reference import flat, sections
from amalthea.fleet.template import laptop
from tests.fleet.imagined import KINDS, SERVICES, ImaginedService

LAPTOP = """
[fleet]
name = "laptop"
domain = "localhost"
blast_radius = 1.0
[providers.north]
kind = "machine"
[providers.south]
kind = "machine"
[edge]
on = "here"
home = "north"
listen = "127.0.0.1:8000"
[services.reader]
[services.board]
"""


def uncommented(text: str) -> str:
    """Prose begins with `# `; a key that is left out begins with `#` alone."""
    return re.sub(r"^#(?! \S)", "", text, flags=re.MULTILINE)


def test_the_template_is_the_laptop_fleet() -> None:
    text = laptop(SERVICES, KINDS)
    found = loads(text, "fleet.toml", services=SERVICES, kinds=KINDS)
    assert found == loads(LAPTOP, "fleet.toml", services=SERVICES, kinds=KINDS)


def test_the_commented_keys_are_good_values_too() -> None:
    text = uncommented(laptop(SERVICES, KINDS)).replace('["ada", "grace"]', '["ada"]')
    fleet = loads(text, "fleet.toml", services=SERVICES, kinds=KINDS)
    assert fleet.providers["north"].account.owners == ("ada",)
    assert fleet.services["reader"].settings.headers == {"x-a": "b"}


def test_every_key_stands_in_the_template() -> None:
    data = tomllib.loads(uncommented(laptop(SERVICES, KINDS)))
    tables = {
        **{f"services.{name}": {**table} for name, table in data["services"].items()},
        "services": data["services"]["reader"],
        "providers": data["providers"]["north"],
        "providers.machine": data["providers"]["north"],
        "people": data["people"]["ada"],
        "edge": data["edge"],
        "fleet": data["fleet"],
    }
    for section in sections(SERVICES, {"machine": KINDS["machine"]}):
        for name, _ in flat(section.keys):
            if "[]" not in name:
                assert _has(tables[section.path], name), f"{section.path}.{name}"


def test_no_line_is_too_long_and_every_description_is_there() -> None:
    text = laptop(SERVICES, KINDS)
    assert max(map(len, text.splitlines())) <= 100
    for section in sections(SERVICES, {"machine": KINDS["machine"]}):
        for key in section.keys:
            assert key.name == "account" or key.description in " ".join(text.replace("#", " ").split())


def _has(table: dict[str, object], name: str) -> bool:
    first, _, rest = name.partition(".")
    inner = table.get(first)
    return first in table and (not rest or (isinstance(inner, dict) and _has(inner, rest)))


class Link(msgspec.Struct, frozen=True):
    text: str
    target: str


class Group(msgspec.Struct, frozen=True):
    header: str
    links: tuple[Link, ...] = ()


class Long(msgspec.Struct, frozen=True):
    """A default that is too long for one line."""

    groups: tuple[Group, ...] = (Group("one", (Link("a" * 40, "b" * 20), Link("c" * 40, "d" * 20))), Group("two"))


def test_a_long_default_has_a_line_for_each_item() -> None:
    services = {"long": ImaginedService("long", Long)}
    text = laptop(services, KINDS)
    assert max(map(len, text.splitlines())) <= 100
    fleet = loads(uncommented(text).replace('["ada", "grace"]', '["ada"]'), "f", services=services, kinds=KINDS)
    assert fleet.services["long"].settings == Long()
