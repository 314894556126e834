from __future__ import annotations

from amalthea.fleet.endpoints import endpoint, endpoints
from amalthea.fleet.view import view
from amalthea.model.fleet import EdgeDeclaration, Fleet, ProviderDeclaration
from amalthea.model.route import Endpoint
from amalthea.model.workload import EDGE, Running, State


def copy(service: str, port: int, state: State = State.RUNNING) -> Running:
    return Running(
        key=f"{service}-1.0", name=f"{service}-1", service=service, state=state, ports={"http": port, "admin": port + 1}
    )


RUNNING = {
    "north": {"a": copy("reader", 10), "b": copy("board", 20)},
    "south": {"a": copy("reader", 30), "b": copy("board", 40)},
    "here": {"c": copy(EDGE, 50)},
}
WHERE = {
    (one.service, site): one for site, copies in RUNNING.items() for c in copies.values() if (one := endpoint(site, c))
}


def serving(edge: EdgeDeclaration, *ill: tuple[str, str]) -> list[tuple[str, str]]:
    fleet = Fleet(
        name="small",
        domain="localhost",
        providers={name: ProviderDeclaration(kind="machine") for name in ("north", "south")},
        edge=edge,
    )
    health = {where: (where.service, where.site) not in ill for where in WHERE.values()}
    return [(row.service, row.site) for row in view(fleet, RUNNING, health) if row.serving and row.service != EDGE]


def test_the_home_of_the_edge_serves_while_it_is_healthy() -> None:
    assert serving(EdgeDeclaration(on="here", home="north")) == [("board", "north"), ("reader", "north")]


def test_another_site_serves_what_is_ill_at_home() -> None:
    found = serving(EdgeDeclaration(on="here", home="north"), ("reader", "north"))
    assert found == [("board", "north"), ("reader", "south")]


def test_without_a_home_every_healthy_site_serves() -> None:
    assert len(serving(EdgeDeclaration(on="here"))) == 4


def test_every_site_with_an_edge_serves_its_own_visitors() -> None:
    assert len(serving(EdgeDeclaration())) == 4
    assert serving(EdgeDeclaration(on=("south",))) == [("board", "south"), ("reader", "south")]


def test_nothing_serves_when_all_is_ill() -> None:
    assert serving(EdgeDeclaration(), *WHERE) == []


def test_the_edge_is_the_first_row_and_has_no_health() -> None:
    fleet = Fleet(name="small", domain="localhost")
    first = view(fleet, RUNNING, {})[0]
    assert (first.service, first.healthy, first.serving) == (EDGE, None, True)
    assert all(row.healthy is None and not row.serving for row in view(fleet, RUNNING, {})[1:])


def test_an_endpoint_is_a_copy_that_answers_visitors() -> None:
    assert endpoint("north", copy("reader", 10)) == Endpoint(
        service="reader", site="north", address="127.0.0.1", port=10, ready_port=11
    )
    assert endpoint("north", copy("reader", 10, State.RESTARTING)) is not None
    assert endpoint("north", copy("reader", 10, State.STOPPED)) is None
    assert endpoint("north", copy("reader", 0)) is None
    assert endpoint("here", copy(EDGE, 10)) is None


def test_endpoints_come_in_one_order() -> None:
    copies = [(site, one) for site, found in RUNNING.items() for one in found.values()]
    assert endpoints(copies) == endpoints(reversed(copies))
