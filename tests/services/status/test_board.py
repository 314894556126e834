from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.model.probe import Watch
from amalthea.services.status import words
from amalthea.services.status.board import Board, Cell, Standing, board
from amalthea.services.status.track import Report, State, Track
from tests.services.status.scenes import FRESH_FOR, NOON, report, track, watch

NORTH = watch(site="north")
SOUTH = watch(site="south")
BOTH = [NORTH, SOUTH]


def made(watches: list[Watch], own: Report, *others: Report | None) -> Board:
    seen = {(one.vantage if one else "silent"): one for one in others}
    return board(watches, own, seen, now=NOON, fresh_for=FRESH_FOR)


def one_cell(south: Track, north: Track) -> Cell:
    own = Report(vantage="south", at=NOON, tracks=(south,))
    other = Report(vantage="north", at=NOON, tracks=(north,))
    return made([NORTH], own, other).rows[0].cells[0]


def test_what_all_vantages_see_is_so() -> None:
    assert one_cell(track(NORTH, True), track(NORTH, True)).state is State.UP
    assert one_cell(track(NORTH, False, False), track(NORTH, False, False)).state is State.DOWN


def test_vantages_that_disagree_leave_it_unknown() -> None:
    cell = one_cell(track(NORTH, False, False, ago=2), track(NORTH, True, ago=3))
    assert (cell.state, cell.disputed) == (State.UNKNOWN, True)


def test_a_vantage_that_looked_before_the_change_does_not_disagree() -> None:
    cell = one_cell(track(NORTH, True, False, False, ago=2), track(NORTH, True, True, ago=13))
    assert (cell.state, cell.disputed) == (State.DOWN, False)
    back = one_cell(track(NORTH, False, False, True, ago=2), track(NORTH, False, False, ago=13))
    assert (back.state, back.disputed) == (State.UP, False)


def test_a_vantage_about_to_change_its_mind_does_not_disagree() -> None:
    cell = one_cell(track(NORTH, True, False, False, ago=9), track(NORTH, True, True, False, ago=1))
    assert (cell.state, cell.disputed) == (State.DOWN, False)


def test_a_stale_vantage_is_shown_and_not_believed() -> None:
    cell = one_cell(track(NORTH, False, False, ago=2), track(NORTH, True, True, ago=31))
    assert cell.state is State.DOWN
    assert [one.state for one in cell.sightings] == [State.DOWN, State.UNKNOWN]
    assert cell.age == 2


def test_nothing_fresh_is_unknown() -> None:
    cell = one_cell(track(NORTH, True, ago=31), track(NORTH, True, ago=50))
    assert (cell.state, cell.disputed, cell.age) == (State.UNKNOWN, False, 31)


def test_another_vantages_word_stands_in_until_the_own_first_look() -> None:
    assert one_cell(Track.of(NORTH), track(NORTH, True)).state is State.UP
    assert one_cell(Track.of(NORTH), track(NORTH, True, ago=99)).state is State.CHECKING


def test_the_worst_probe_of_a_service_counts() -> None:
    notebook = watch(site="north", probe="a notebook")
    own = Report(vantage="south", at=NOON, tracks=(track(NORTH, True), track(notebook, False, False)))
    assert made([NORTH, notebook], own).rows[0].cells[0].state is State.DOWN


def test_down_counts_from_the_first_failure_that_anybody_saw() -> None:
    cell = one_cell(track(NORTH, False, False, False, ago=2), track(NORTH, False, False, ago=4))
    assert cell.since is not None
    assert (NOON - cell.since).total_seconds() == 22


def test_a_service_stands_by_all_its_sites() -> None:
    def standing(north: list[bool], south: list[bool]) -> Standing:
        own = Report(vantage="south", at=NOON, tracks=(track(NORTH, *north), track(SOUTH, *south)))
        return made(BOTH, own).rows[0].standing

    up, down, asked_once = [True], [False, False], [False]
    assert standing(up, up) is Standing.WORKS
    assert standing(up, down) is Standing.DEGRADED
    assert standing(down, down) is Standing.DOWN
    assert standing(up, asked_once) is Standing.CHECKING
    assert standing(down, asked_once) is Standing.CHECKING


def test_services_and_sites_keep_the_order_of_the_watches() -> None:
    watches = [watch("tmpnb", "south"), watch("cdn", "north"), watch("tmpnb", "north"), watch("cdn", "south")]
    shown = made(watches, report("south", list(reversed(watches)), lambda w: True))
    assert [row.service for row in shown.rows] == ["tmpnb", "cdn"]
    assert [cell.site for row in shown.rows for cell in row.cells] == ["south", "north", "north", "south"]


def test_what_others_report_of_unknown_services_is_left_out() -> None:
    shown = made([NORTH], report("south", [NORTH], lambda w: True), report("north", [watch("evil")], lambda w: True))
    assert [row.service for row in shown.rows] == ["nbviewer"]


def test_a_report_in_the_own_name_from_elsewhere_is_not_used() -> None:
    own = report("south", [NORTH], lambda w: False)
    shown = board([NORTH], own, {"south": report("south", [NORTH], lambda w: True)}, now=NOON, fresh_for=FRESH_FOR)
    assert shown.rows[0].cells[0].state is State.DOWN
    assert len(shown.rows[0].cells[0].sightings) == 1


sights = st.lists(st.booleans(), max_size=4)


@given(st.lists(st.tuples(sights, sights, st.floats(0, 60)), min_size=1, max_size=5), st.data())
def test_the_headline_never_says_more_than_the_rows(
    seen: list[tuple[list[bool], list[bool], float]], data: st.DataObject
) -> None:
    watches = [watch(f"s{i}", site) for i in range(len(seen)) for site in ("north", "south")]
    tracks = [track(w, *answers, ago=ago) for w, (answers, ago) in zip(watches, pairs(seen), strict=True)]
    shown = made(watches, Report(vantage="south", at=NOON, tracks=tuple(tracks)))
    states = {cell.state for row in shown.rows for cell in row.cells}
    text = words.headline(shown)
    assert (text == "All services work") is (states == {State.UP})
    assert text.startswith("All services are down") is (states == {State.DOWN} and len(seen) > 1)
    for row in shown.rows:
        assert words.sentence(row).startswith("works at both") is ({c.state for c in row.cells} == {State.UP})


def pairs(seen: list[tuple[list[bool], list[bool], float]]) -> list[tuple[list[bool], float]]:
    return [(answers, ago) for north, south, ago in seen for answers in (north, south)]


def up_but(*bad: tuple[str, str]) -> Board:
    watches = [watch(service, site) for service in ("nbviewer", "tmpnb", "cdn") for site in ("north", "south")]
    return made(watches, report("south", watches, lambda w: (w.service, w.site) not in bad))


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (up_but(), "All services work"),
        (up_but(("cdn", "north")), "cdn works at 1 of 2 sites"),
        (up_but(("cdn", "north"), ("cdn", "south")), "cdn is down at both sites"),
        (up_but(("cdn", "north"), ("tmpnb", "south")), "2 of 3 services work at only some of their sites"),
        (
            up_but(("cdn", "north"), ("tmpnb", "north"), ("nbviewer", "north")),
            "The site north is down; all services work elsewhere",
        ),
        (made([], report("south", [], lambda w: True)), "No service is watched"),
        (made(BOTH, report("south", BOTH, lambda w: True, ago=99)), "nbviewer is in an unknown state"),
        (made(BOTH, Report(vantage="south", at=NOON), None), "nbviewer is in an unknown state"),
        (made([NORTH], report("south", [NORTH], lambda w: False)), "nbviewer is down"),
        (
            made(BOTH, Report(vantage="south", at=NOON, tracks=tuple(map(Track.of, BOTH)))),
            "Looking for the first time",
        ),
    ],
)
def test_the_headline_is_one_plain_sentence(shown: Board, text: str) -> None:
    assert words.headline(shown) == text


def test_counts_are_given_where_services_differ() -> None:
    assert words.counts(up_but().rows) == ""
    assert words.counts(up_but(("cdn", "north")).rows) == "2 work, 1 is degraded"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119.9, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_spans_are_in_one_unit(seconds: float, text: str) -> None:
    assert words.span(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.0004, "<1 ms"), (0.0123, "12 ms"), (0.9996, "1.0 s"), (5, "5.0 s")])
def test_latencies_are_short(seconds: float, text: str) -> None:
    assert words.latency(seconds) == text
