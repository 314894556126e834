"""Every piece of a fleet file in the documentation loads."""

from __future__ import annotations

import tomllib

import pytest

from amalthea import catalogue
from amalthea.fleet.loading import loads
from amalthea.fleet.reference import flat, page, sections
from tests.docs.reading import Block, blocks

REST = {
    "fleet": '[fleet]\nname = "rest"\ndomain = "localhost"',
    "providers": '[providers.north]\nkind = "process"',
    "services": "[services.nbviewer]",
    "edge": '[edge]\non = "here"',
}


def whole(text: str) -> str:
    """A fragment with what is missing to make a fleet of it."""
    given = tomllib.loads(text)
    return "\n".join([text, *(rest for table, rest in REST.items() if table not in given)])


@pytest.mark.parametrize("block", blocks("toml"), ids=lambda block: block.place)
def test_a_piece_of_a_fleet_file_loads(block: Block) -> None:
    loads(whole(block.text), block.place, services=catalogue.services(), kinds=catalogue.provider_kinds())


def test_the_reference_has_every_key_and_says_what_it_means() -> None:
    services, kinds = catalogue.services(), catalogue.provider_kinds()
    text = page(services, kinds)
    for section in sections(services, kinds):
        assert section.text, section.path
        for name, key in flat(section.keys):
            assert f"### `{section.path}.{name}`" in text
            assert key.description, f"{section.path}.{name}"
