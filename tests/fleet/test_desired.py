from __future__ import annotations

from pathlib import Path

from amalthea.fleet.desired import Placement, desired, watches
from amalthea.fleet.sites import store_urls
from amalthea.model.edge import SITE_HEADER
from amalthea.model.fleet import Fleet
from amalthea.model.service import Launch
from amalthea.model.wire import convert, decode
from amalthea.model.workload import EDGE
from tests.fleet.imagined import SERVICES, SMALL, ReaderSettings, small
from tests.fleet.memory_edge import MemoryEdge


def wanted(fleet: Fleet, version: str = "1") -> list[Placement]:
    return desired(
        fleet,
        sites=fleet.sites(store_urls(fleet, Path("/state"))),
        services=SERVICES,
        edges=[MemoryEdge("here")],
        version=version,
        watches=watches(fleet, SERVICES),
    )


def test_the_edge_comes_first_then_every_service_at_every_site() -> None:
    assert [(place.site, place.workload.name) for place in wanted(small())] == [
        ("here", "edge"),
        ("north", "reader-1"),
        ("south", "reader-1"),
        ("north", "board-1"),
        ("south", "board-1"),
    ]


def test_each_replica_is_a_workload_of_its_own() -> None:
    fleet = small(SMALL.replace("[services.reader]", '[services.reader]\nreplicas = 2\non = ["south"]'))
    readers = [place.workload for place in wanted(fleet) if place.workload.service == "reader"]
    assert [workload.name for workload in readers] == ["reader-1", "reader-2"]
    assert len({workload.key for workload in readers}) == 2


def test_a_process_is_told_its_site_its_settings_and_its_watches() -> None:
    fleet = small(SMALL.replace("[services.reader]", '[services.reader]\ncache = "1500 kB"\ntimeout = "5 s"'))
    launches = {
        (place.site, place.workload.service): decode(place.workload.launch, Launch) for place in wanted(fleet)[1:]
    }
    reader = launches["south", "reader"]
    assert reader.site.name == "south"
    assert reader.site.stores == ("file:///state/store/south", "file:///state/store/north")
    assert convert(reader.settings, ReaderSettings) == fleet.services["reader"].settings
    assert reader.watches == ()
    assert list(launches["north", "board"].watches) == watches(fleet, SERVICES)


def test_the_same_file_always_wants_the_same_and_another_version_wants_all_but_the_edges_anew() -> None:
    first = wanted(small())
    assert first == wanted(small())
    kept = {place.workload.key for place in first} & {place.workload.key for place in wanted(small(), version="2")}
    assert kept == {place.workload.key for place in first if place.workload.service == EDGE}


def test_an_edge_outside_every_site_is_asked_for_each_of_them() -> None:
    found = watches(small(), SERVICES)
    assert [(watch.service, watch.site) for watch in found] == [
        ("reader", "north"),
        ("reader", "south"),
        ("board", "north"),
        ("board", "south"),
    ]
    assert {watch.url for watch in found} == {"http://127.0.0.1:8000/"}
    assert found[1].headers == {"host": "reader.localhost:8000", SITE_HEADER: "south"}


def test_an_edge_at_a_site_is_asked_where_it_is_reached() -> None:
    text = SMALL.replace('on = "here"\nhome = "north"', 'listen = "0.0.0.0:80"')
    text = text.replace("[providers.north]", '[providers.north]\naddress = "192.0.2.1:80"')
    text = text.replace("[providers.south]", '[providers.south]\nlisten = "[::]:81"')
    urls = {watch.site: watch.url for watch in watches(small(text), SERVICES)}
    assert urls == {"north": "http://192.0.2.1:80/", "south": "http://127.0.0.1:81/"}


def test_a_site_without_an_edge_is_asked_through_another_site() -> None:
    fleet = small(SMALL.replace('on = "here"\nhome = "north"', 'on = ["south"]'))
    assert {watch.url for watch in watches(fleet, SERVICES)} == {"http://127.0.0.1:8000/"}


def test_a_public_domain_has_no_port_in_the_name() -> None:
    fleet = small(SMALL.replace('"localhost"', '"example.org"'))
    assert watches(fleet, SERVICES)[0].headers["host"] == "reader.example.org"
