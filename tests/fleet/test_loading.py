from __future__ import annotations

from datetime import date

import pytest

from amalthea.fleet.errors import FleetFileError
from amalthea.fleet.loading import loads
from amalthea.model.fleet import Account
from amalthea.model.units import ByteSize, Duration
from tests.fleet.imagined import KINDS, SERVICES, BoardSettings, CloudSettings, Mirror, ReaderSettings, small


def problems(text: str) -> list[str]:
    with pytest.raises(FleetFileError) as caught:
        loads(text, "fleet.toml", services=SERVICES, kinds=KINDS)
    assert str(caught.value).startswith("fleet.toml: ")
    return str(caught.value).splitlines()[1:]


def problem(text: str) -> str:
    (line,) = problems(text)
    return line.strip()


def test_what_is_left_out_has_its_default() -> None:
    fleet = small()
    assert fleet.blast_radius == 0.3
    assert fleet.services["reader"].on == ("north", "south")
    assert fleet.services["reader"].replicas == 1
    assert fleet.services["reader"].settings == ReaderSettings()
    assert fleet.services["board"].settings == BoardSettings()
    assert fleet.edge_sites == ("here",)
    assert fleet.names.url("reader") == "http://reader.localhost:8000"


def test_every_key_that_is_there_arrives() -> None:
    fleet = small(
        """
        [fleet]
        name = "whole"
        domain = "example.org"
        blast_radius = 1
        [people.ada]
        age = "age1x"
        [providers.dfw]
        kind = "cloud"
        context = "dfw"
        nodes = 5
        store = "s3://bucket/prefix"
        address = "192.0.2.1:80"
        account = { kind = "donated", ends = 2026-12-31, owners = ["ada"], billing = ["ada"] }
        [edge]
        listen = "0.0.0.0:80"
        scheme = "http"
        port = 8080
        [services.reader]
        on = ["dfw"]
        replicas = 3
        cache = "1.5 GiB"
        timeout = "300 ms"
        mode = 7
        colour = "green"
        mirrors = [{ host = "a" }, { host = "b", weight = 2 }]
        headers = { "x-a" = "b" }
        extra = [1, { a = "b" }]
        """
    )
    provider = fleet.providers["dfw"]
    assert provider.settings == CloudSettings(context="dfw", nodes=5)
    assert provider.account == Account(kind="donated", ends=date(2026, 12, 31), owners=("ada",), billing=("ada",))
    assert fleet.services["reader"].replicas == 3
    settings = fleet.services["reader"].settings
    assert settings.cache == ByteSize(1.5 * 2**30)
    assert settings.timeout == Duration(0.3)
    assert settings.mirrors == (Mirror(host="a"), Mirror(host="b", weight=2))
    assert fleet.names.url("reader") == "http://reader.example.org:8080"
    assert fleet.edge_sites == ("dfw",)


MISTAKES = """\
[fleet]
name = "Jupyter"
domain = "not a domain"
blast_radius = 3

[poeple.ada]

[people.grace]
age = 5

[providers.here]
kind = "machine"

[providers.north]
kind = "machin"

[providers.south]
kind = "machine"
stroe = "file:x"
listen = "127.0.0.1:99999"
account = { kind = "gift", owners = ["grase"] }

[providers.west]
kind = "cloud"
store = "ftp://x"

[edge]
on = ["nroth"]
home = "east"

[services.reader]
on = ["north",
      "sooth"]
replicas = 0
timeout = "5 sec"
cache = 512

[services.bord]
"""

EXPECTED = [
    '2: fleet.name: found "Jupyter", allowed: lower-case letters, digits and hyphens',
    '3: fleet.domain: found "not a domain", allowed: a domain name',
    "4: fleet.blast_radius: found 3, allowed: a number from 0 to 1",
    "6: poeple: found an unknown key, allowed: fleet, people, providers, edge, services; did you mean people?",
    "9: people.grace.age: found 5, allowed: text in quotes",
    "11: providers.here: found a reserved name, allowed: any other name; it means an edge outside every site",
    '15: providers.north.kind: found "machin", allowed: machine or cloud; did you mean machine?',
    "19: providers.south.stroe: found an unknown key, allowed: kind, store, address, listen, account; did you mean",
    '20: providers.south.listen: found "127.0.0.1:99999", allowed: a port from 1 to 65535',
    '21: providers.south.account.kind: found "gift", allowed: "credits", "donated" or "own"',
    '21: providers.south.account.owners[0]: found "grase", allowed: grace; did you mean grace?',
    '23: providers.west.context: found nothing, allowed: text in quotes, such as "dfw"',
    '25: providers.west.store: found "ftp://x", allowed: a URL that begins with file:, s3://, gs://, az://',
    '28: edge.on[0]: found "nroth", allowed: north, south or west; did you mean north?',
    '29: edge.home: found "east", allowed: north, south or west; did you mean west?',
    '33: services.reader.on[1]: found "sooth", allowed: north, south or west; did you mean south?',
    "34: services.reader.replicas: found 0, allowed: a whole number from 1 to 1000",
    '35: services.reader.timeout: found "5 sec", allowed: a number and a unit (ms, s, min, h, d), such as "15 min"',
    "36: services.reader.cache: found 512, allowed: a number and a unit (B, KiB",
    "38: services.bord: found an unknown service, allowed: reader or board; did you mean board?",
]


def test_twenty_different_mistakes_give_twenty_problems_with_their_lines() -> None:
    found = problems(MISTAKES)
    for line, expected in zip(found, EXPECTED, strict=False):
        assert line.strip().startswith(f"fleet.toml:{expected}")
    assert len(found) == len(EXPECTED)
