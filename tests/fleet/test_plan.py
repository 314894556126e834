"""The laws of a plan, and its risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.fleet.change import Action, lives
from amalthea.fleet.desired import Placement
from amalthea.fleet.plan import Plan, plan, teardown
from amalthea.model.errors import AmaltheaError, UnsafePlan
from amalthea.model.workload import EDGE, Feature, Running, State, Workload

SITES = ("north", "south")
Fleet = dict[str, dict[str, Running]]


def workload(service: str, *, number: int = 1, version: str = "1", needs: frozenset[Feature] = frozenset()) -> Workload:
    return Workload(name=f"{service}-{number}", service=service, argv=("amalthea",), version=version, needs=needs)


def copy(workload: Workload, state: State = State.RUNNING) -> Running:
    return Running(key=workload.key, name=workload.name, service=workload.service, state=state)


def places(site: str, *workloads: Workload) -> list[Placement]:
    return [Placement(site=site, workload=workload) for workload in workloads]


def runs(**sites: Sequence[Workload]) -> Fleet:
    return {site: {workload.key: copy(workload) for workload in workloads} for site, workloads in sites.items()}


def made(wanted: Sequence[Placement], running: Mapping[str, Mapping[str, Running]], limit: float = 1.0) -> Plan:
    return plan(wanted, running, supports={site: frozenset(Feature) for site in SITES}, blast_radius=limit)


def after(steps: Plan, running: Fleet) -> Fleet:
    """What runs when a plan has been carried out."""
    found = {site: dict(copies) for site, copies in running.items()}
    for change in steps.changes:
        mine = found.setdefault(change.site, {})
        for old in change.old:
            del mine[old.key]
        if change.workload is not None and change.action is not Action.KEEP:
            mine[change.workload.key] = copy(change.workload)
    return found


WORKLOADS = st.builds(
    workload, st.sampled_from([EDGE, "reader", "board"]), number=st.integers(1, 2), version=st.sampled_from("123")
)
WANTED = st.lists(
    st.builds(Placement, site=st.sampled_from(SITES), workload=WORKLOADS),
    unique_by=lambda place: (place.site, place.workload.name),
    max_size=8,
)
COPIES = st.lists(st.builds(copy, WORKLOADS, st.sampled_from(State)), unique_by=lambda found: found.key, max_size=6)
RUNNING = st.fixed_dictionaries(
    {}, optional={site: COPIES.map(lambda found: {one.key: one for one in found}) for site in (*SITES, "gone")}
)


@given(WANTED, RUNNING)
def test_carrying_out_a_plan_leaves_exactly_what_is_wanted(wanted: list[Placement], running: Fleet) -> None:
    found = after(made(wanted, running), running)
    assert {(site, key) for site, copies in found.items() for key in copies} == {
        (place.site, place.workload.key) for place in wanted
    }


@given(WANTED, RUNNING)
def test_a_second_plan_has_nothing_to_do(wanted: list[Placement], running: Fleet) -> None:
    again = made(wanted, after(made(wanted, running), running))
    assert again.empty
    assert not again.risks


@given(WANTED, RUNNING)
def test_only_what_is_not_wanted_is_stopped(wanted: list[Placement], running: Fleet) -> None:
    keys = {(place.site, place.workload.key) for place in wanted}
    for change in made(wanted, running).changes:
        assert not {(change.site, old.key) for old in change.old} & keys
        assert (change.action is Action.STOP) == (change.workload is None)
        assert (change.running is not None) == (change.action in (Action.KEEP, Action.ADOPT))


@given(WANTED, RUNNING)
def test_every_service_keeps_a_copy_unless_the_plan_says_so(wanted: list[Placement], running: Fleet) -> None:
    steps = made(wanted, running)
    before = {one.service for copies in running.values() for one in copies.values() if lives(one)}
    lost = before - {place.workload.service for place in wanted}
    told = " ".join(risk.message for risk in steps.risks if risk.name == "last-copy")
    assert all(f"of {service};" in told for service in lost)


@given(RUNNING)
def test_a_teardown_leaves_nothing_and_asks_nothing(running: Fleet) -> None:
    steps = teardown(running)
    assert not any(after(steps, running).values())
    assert not steps.risks


@given(WANTED, RUNNING)
def test_edges_come_first(wanted: list[Placement], running: Fleet) -> None:
    services = [change.service for change in made(wanted, running).changes]
    assert services == sorted(services, key=lambda service: (service != EDGE, service))


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (State.RUNNING, Action.KEEP),
        (State.RESTARTING, Action.KEEP),
        (State.ORPHANED, Action.ADOPT),
        (State.STOPPED, Action.START),
    ],
)
def test_what_happens_to_a_wanted_copy_depends_on_how_it_is(state: State, action: Action) -> None:
    reader = workload("reader")
    running = {"north": {reader.key: copy(reader, state)}}
    assert [change.action for change in made(places("north", reader), running).changes] == [action]


def test_a_new_version_replaces_the_old_one() -> None:
    old, new = workload("reader"), workload("reader", version="2")
    (change,) = made(places("north", new), runs(north=[old])).changes
    assert (change.action, change.workload, change.old) == (Action.REPLACE, new, (copy(old),))


def test_what_an_interrupted_change_left_behind_is_stopped() -> None:
    old, new = workload("reader"), workload("reader", version="2")
    steps = made(places("north", new), runs(north=[old, new]))
    assert [change.action for change in steps.changes] == [Action.KEEP, Action.STOP]
    assert not [risk for risk in steps.risks if risk.name == "last-copy"]


def test_a_site_that_left_the_file_is_emptied() -> None:
    reader = workload("reader")
    steps = made(places("north", reader), runs(north=[reader], gone=[reader]))
    assert [(change.action, change.site) for change in steps.changes] == [
        (Action.STOP, "gone"),
        (Action.KEEP, "north"),
    ]


def test_stopping_the_last_copy_is_refused_until_it_is_named() -> None:
    reader, board = workload("reader"), workload("board")
    steps = made(places("north", board), runs(north=[reader, board], south=[reader]))
    with pytest.raises(UnsafePlan) as caught:
        steps.refuse()
    assert str(caught.value) == (
        "the plan is refused\n"
        "  last-copy: stops all of its 2 copies of reader; none would be left at any site\n"
        "  If that is meant: --allow last-copy"
    )
    steps.refuse(["last-copy"])


def test_a_copy_that_keeps_crashing_is_no_copy_to_rely_on() -> None:
    reader = workload("reader")
    running: Fleet = {
        "north": {reader.key: copy(reader, State.RESTARTING)},
        "south": {reader.key: copy(reader)},
    }
    steps = made(places("north", reader), running)
    assert [risk.name for risk in steps.risks] == ["last-copy"]


def test_replacing_the_last_copy_is_no_risk_because_the_new_one_starts_first() -> None:
    steps = made(places("north", workload("reader", version="2")), runs(north=[workload("reader")]))
    assert not steps.risks


def test_touching_more_than_the_blast_radius_is_refused_with_numbers() -> None:
    old = [workload("reader", number=number) for number in range(1, 9)]
    new = [workload("reader", number=number, version="2" if number < 6 else "1") for number in range(1, 9)]
    steps = made(places("north", *new), runs(north=old), limit=0.3)
    with pytest.raises(UnsafePlan, match=r"touches 5 of 8 running workloads \(62 %\), limit 30 %"):
        steps.refuse(["last-copy"])
    steps.refuse(["blast-radius"])
    assert not made(places("north", *new), runs(north=old), limit=0.7).risks


def test_starting_is_no_risk_however_much_it_is() -> None:
    steps = made(places("north", *(workload("reader", number=number) for number in range(1, 9))), {}, limit=0)
    steps.refuse()
    assert steps.summary() == "8 to start"


def test_what_a_provider_cannot_do_is_refused_and_cannot_be_allowed() -> None:
    reader = workload("reader", needs=frozenset({Feature.FIXED_PORT}))
    steps = plan(places("north", reader), {}, supports={"north": frozenset()}, blast_radius=1)
    with pytest.raises(UnsafePlan) as caught:
        steps.refuse(["unsupported"])
    assert "unsupported: reader-1 needs a port of its own choice, which north does not have" in str(caught.value)
    assert "--allow" not in str(caught.value)


def test_a_site_that_cannot_be_observed_is_left_alone_and_told() -> None:
    reader = workload("reader", version="2")
    steps = plan(
        [*places("north", reader), *places("south", reader)],
        runs(north=[workload("reader")]),
        supports={},
        blast_radius=1,
        unreachable={"south": "no answer"},
    )
    assert [change.site for change in steps.changes] == ["north"]
    assert steps.unreachable == ("south",)
    with pytest.raises(UnsafePlan, match=r"south cannot be observed \(no answer\): the 1 workloads wanted there"):
        steps.refuse()


def test_two_workloads_of_one_name_are_an_error() -> None:
    with pytest.raises(AmaltheaError, match="reader has two workloads called reader-1"):
        made(places("north", workload("reader"), workload("reader", version="2")), {})


def test_a_plan_says_in_one_line_what_it_does() -> None:
    steps = made(
        places("north", workload("reader"), workload("board", version="2"), workload("tree")),
        runs(north=[workload("reader"), workload("board")], south=[workload("reader")]),
    )
    assert steps.summary() == "1 to start, 1 to replace, 1 to stop, 1 to keep"
    assert Plan().summary() == "nothing to do"
