from __future__ import annotations

import pytest

from amalthea.fleet.reference import flat, page, reference, sections
from amalthea.model.errors import UsageError
from tests.fleet.imagined import KINDS, SERVICES


def ask(key: str) -> str:
    return reference(key, SERVICES, KINDS)


def test_a_key_says_what_it_may_be_and_what_it_is_otherwise() -> None:
    assert ask("services.reader.cache") == (
        "### `services.reader.cache`\n\n"
        'A number and a unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB), such as "512 MiB". Default: `"256 MiB"`.\n\n'
        "How much it remembers."
    )


def test_a_table_has_all_its_own_keys_and_says_where_the_others_are() -> None:
    text = ask("services.reader")
    assert "those of `services`" in text
    assert "### `services.reader.mirrors[].weight`" in text


@pytest.mark.parametrize(
    "key",
    [
        "fleet.name",
        "people.ada.age",
        "providers.north",
        "providers.north.account.owners",
        "providers.cloud.nodes",
        "providers.cloud.store",
        "edge.listen",
        "services.board.replicas",
        "",
    ],
)
def test_every_way_to_name_a_key_finds_it(key: str) -> None:
    assert ask(key)


def test_an_unknown_key_is_an_error_with_names_near_it() -> None:
    with pytest.raises(UsageError) as caught:
        ask("services.reader.cash")
    assert "services.reader.cache" in str(caught.value)
    with pytest.raises(UsageError, match="Tables: fleet, people"):
        ask("zzzzzzzzzz")


def test_the_page_holds_every_key() -> None:
    text = page(SERVICES, KINDS)
    for section in sections(SERVICES, KINDS):
        for name, key in flat(section.keys):
            assert f"### `{section.path}.{name}`" in text
            assert key.description
            assert key.description in text
