from __future__ import annotations

import pytest

from amalthea.fleet.crosschecks import cross_check
from tests.fleet.imagined import SMALL, small
from tests.fleet.test_loading import problem, problems

CLOUD = '[providers.dfw]\nkind = "cloud"\ncontext = "dfw"\n'


def with_account(text: str) -> str:
    return SMALL.replace("[providers.south]", f"[providers.south]\naccount = {{ {text} }}")


def test_an_empty_file_names_everything_that_has_to_be_there() -> None:
    assert [line.strip() for line in problems("")] == [
        "fleet.toml: fleet.name: found nothing, allowed: lower-case letters, digits and hyphens, a letter first, "
        "31 at most",
        "fleet.toml: fleet.domain: found nothing, allowed: a domain name in lower case, such as jupyter.example.org",
        "fleet.toml: providers: found no provider, allowed: one provider or more, as [providers.NAME]",
        "fleet.toml: services: found no service, allowed: one service or more, as [services.NAME]",
    ]


@pytest.mark.parametrize("name", ["fleet", "people", "providers", "edge", "services"])
def test_a_value_in_place_of_a_table_is_a_mistake(name: str) -> None:
    assert any(f"{name}: found 5, allowed: a table" in line for line in problems(f"{name} = 5"))


@pytest.mark.parametrize("name", ["people.ada", "providers.north", "services.reader"])
def test_a_value_in_place_of_a_table_within_a_table_is_a_mistake(name: str) -> None:
    assert any(f"{name}: found 5, allowed: a table" in line for line in problems(f"{name} = 5"))


def test_a_name_that_a_provider_cannot_have_is_a_mistake() -> None:
    text = SMALL.replace("providers.south", 'providers."So uth"')
    assert "providers.'So uth': found \"So uth\", allowed: lower-case letters" in problem(text)


def test_a_service_that_runs_nowhere_is_a_mistake() -> None:
    text = SMALL.replace("[services.board]", "[services.board]\non = []")
    assert "services.board.on: found an empty list, allowed: one or more of north, south" in problem(text)


def test_a_name_that_stands_twice_is_a_mistake() -> None:
    text = SMALL.replace("[services.board]", '[services.board]\non = ["north", "north"]')
    assert 'services.board.on[1]: found "north" twice' in problem(text)


def test_a_service_of_which_a_site_runs_one_copy_has_no_replicas() -> None:
    data = {"services": {"single": {"replicas": 2}, "many": {"replicas": 2}}}
    (found,) = cross_check({**data, "providers": {"north": {}}}, kinds={}, single=["single"])
    assert (found.path, found.allowed) == (("services", "single", "replicas"), "1")


def test_owners_have_to_be_people_of_the_file() -> None:
    assert 'account.owners[0]: found "ada", allowed: nothing, as there are none' in problem(
        with_account('owners = ["ada"]')
    )


def test_a_wrong_type_in_one_table_hides_nothing_in_another() -> None:
    text = SMALL.replace('on = "here"', "on = 5").replace("[services.board]", '[services.board]\non = ["x"]')
    first, second = problems(text)
    assert "edge.on: found 5" in first
    assert 'services.board.on[0]: found "x"' in second


def test_edges_of_one_machine_need_places_of_their_own() -> None:
    text = SMALL.replace('on = "here"\nhome = "north"\n', "")
    line = problem(text)
    assert 'providers.south.listen: found an edge at "127.0.0.1:8000", where the edge of north listens too' in line
    assert 'on = "here"' in line
    small(text.replace("[providers.south]", '[providers.south]\nlisten = "127.0.0.1:8001"'))


def test_every_address_of_a_machine_includes_each_of_them() -> None:
    text = SMALL.replace('on = "here"\nhome = "north"\n', "")
    assert problem(text.replace("[providers.south]", '[providers.south]\nlisten = "0.0.0.0:8000"'))
    assert problem(text.replace("[providers.south]", '[providers.south]\nlisten = "localhost:8000"'))


def test_edges_of_different_machines_may_listen_alike() -> None:
    small(SMALL.replace('on = "here"\nhome = "north"', 'on = ["north", "dfw"]') + CLOUD + 'store = "s3://dfw"\n')


def test_a_cloud_needs_a_store() -> None:
    assert "providers.dfw.store: found nothing, allowed: a URL that begins with file:, s3://" in problem(SMALL + CLOUD)


def test_two_providers_cannot_share_a_store() -> None:
    text = SMALL.replace('kind = "machine"', 'kind = "machine"\nstore = "s3://one"', 1)
    text = text.replace("[providers.south]", '[providers.south]\nstore = "s3://one/"')
    assert "providers.south.store: found the store of providers.north.store, allowed: a store of its own" in problem(
        text
    )


@pytest.mark.parametrize("url", ["http://x", "s3:bucket", "s3://", "file:", "file:///", "bucket", "s3://[", "memory:"])
def test_a_store_that_is_none_is_a_mistake(url: str) -> None:
    text = SMALL.replace('kind = "machine"', f'kind = "machine"\nstore = "{url}"', 1)
    assert f'providers.north.store: found "{url}", allowed: a URL that begins with' in problem(text)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_number_that_is_no_port_is_a_mistake(port: str) -> None:
    text = SMALL.replace('on = "here"', f'on = "here"\nlisten = "127.0.0.1:{port}"')
    assert "allowed: a port from 1 to 65535" in problem(text)


@pytest.mark.parametrize(
    "domain", ["Example.org", "a..b", "-a.b", "a.b-", "a_b", "a b", "", ".", "a.", "a" * 64, "a\\n"]
)
def test_a_domain_that_is_none_is_a_mistake(domain: str) -> None:
    assert "fleet.domain: found" in problem(SMALL.replace('"localhost"', f'"{domain}"'))


@pytest.mark.parametrize("share", ["-0.1", "1.1", "nan", "inf", "true", '"0.3"'])
def test_a_blast_radius_is_a_share(share: str) -> None:
    text = SMALL.replace('name = "small"', f'name = "small"\nblast_radius = {share}')
    assert "fleet.blast_radius: found" in problem(text)


def test_what_only_the_settings_themselves_can_refuse_is_a_mistake_of_their_table() -> None:
    text = SMALL.replace("[services.board]", '[services.board]\nquiet = true\nevery = "100 ms"')
    assert "fleet.toml:17: services.board: found" in problem(text)
    assert "a quiet board cannot ask more than once a second" in problem(text)
