from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from amalthea.fleet.advice import advice
from amalthea.fleet.sites import store_urls
from amalthea.model.fleet import Account, EdgeDeclaration, Fleet, ProviderDeclaration


def fleet(**stores: str) -> Fleet:
    providers = {name: ProviderDeclaration(kind="machine", store=url) for name, url in stores.items()}
    return Fleet(name="small", domain="localhost", providers=providers)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("", "file:///state/store/north"),
        ("file:elsewhere", "file:///state/elsewhere"),
        ("file:a%20b", "file:///state/a%20b"),
        ("file:///var/lib/x", "file:///var/lib/x"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
    ],
)
def test_a_store_is_an_absolute_url(written: str, url: str) -> None:
    assert store_urls(fleet(north=written), Path("/state")) == {"north": url}


def test_a_site_has_its_own_store_first() -> None:
    found = fleet(north="s3://a", south="s3://b")
    assert found.sites(store_urls(found, Path("/state")))["south"].stores == ("s3://b", "s3://a")


TODAY = date(2026, 6, 1)


def paid(account: Account) -> Fleet:
    providers = {"dfw": ProviderDeclaration(kind="cloud", account=account)}
    return Fleet(name="small", domain="example.org", providers=providers)


def test_money_that_has_ended_or_ends_soon_is_told() -> None:
    assert advice(paid(Account(ends=date(2026, 5, 31))), today=TODAY) == [
        "providers.dfw.account.ends: the money ended on 2026-05-31"
    ]
    assert "ends on 2026-07-01" in advice(paid(Account(ends=date(2026, 7, 1))), today=TODAY)[0]
    assert advice(paid(Account(ends=date(2027, 7, 1))), today=TODAY) == []


def test_a_donated_account_that_one_person_can_enter_is_told() -> None:
    assert "only ada can log in" in advice(paid(Account(kind="donated", owners=("ada",))), today=TODAY)[0]


def test_a_home_that_says_nothing_is_told() -> None:
    found = Fleet(name="small", domain="localhost", edge=EdgeDeclaration(home="north"))
    assert advice(found, today=TODAY)[0].startswith("edge.home: says nothing")
