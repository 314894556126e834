"""The mistakes that show only when tables are held side by side: dangling names, shared ports and stores.

Runs on the decoded TOML, so that a wrong type in one table hides nothing in another; what has the wrong type
was reported by `tables` and is passed over here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from amalthea.fleet.declaration import STORE_SCHEMES, ProviderKind
from amalthea.fleet.literal import shown
from amalthea.fleet.problem import KeyPath, Problem, nearest, written
from amalthea.fleet.wording import either
from amalthea.model.fleet import HERE, EdgeDeclaration

Table = Mapping[str, Any]

_LOOPBACK = "127.0.0.1"
_EVERYWHERE = ("0.0.0.0", "[::]")


def cross_check(data: Table, *, kinds: Mapping[str, ProviderKind], single: Collection[str] = ()) -> Iterator[Problem]:
    """Every mistake between tables. `single` are services of which a site runs one copy."""
    providers = [name for name in _table(data, "providers") if name != HERE]
    yield from _check_presence(data)
    yield from _check_names(data, providers)
    yield from _check_replicas(_tables(data, "services"), single)
    yield from _check_edge(_table(data, "edge"), providers)
    yield from _check_ports(data)
    yield from _check_shared_ports(data, kinds)
    yield from _check_stores(_tables(data, "providers"), kinds)


def _check_presence(data: Table) -> Iterator[Problem]:
    for name, noun in (("providers", "provider"), ("services", "service")):
        if data.get(name, {}) == {}:
            yield Problem(path=(name,), found=f"no {noun}", allowed=f"one {noun} or more, as [{name}.NAME]")
    if HERE in _tables(data, "providers"):
        hint = "it means an edge outside every site"
        yield Problem(path=("providers", HERE), found="a reserved name", allowed="any other name", hint=hint)


def _check_names(data: Table, providers: Collection[str]) -> Iterator[Problem]:
    for name, service in _tables(data, "services").items():
        yield from _dangling(service.get("on"), providers, ("services", name, "on"), filled=True)
    people = [*_table(data, "people")]
    for name, provider in _tables(data, "providers").items():
        account = _table(provider, "account")
        for key in ("owners", "billing"):
            yield from _dangling(account.get(key), people, ("providers", name, "account", key))


def _check_replicas(services: Mapping[str, Table], single: Collection[str]) -> Iterator[Problem]:
    for name in single:
        replicas = services.get(name, {}).get("replicas")
        if type(replicas) is int and replicas > 1:
            hint = "a request has to find the one copy that it is for"
            yield Problem(path=("services", name, "replicas"), found=str(replicas), allowed="1", hint=hint)


def _dangling(value: Any, known: Collection[str], path: KeyPath, *, filled: bool = False) -> Iterator[Problem]:
    """Names in a list that nothing in the file has, names that are there twice, and a list that has to hold some."""
    if not isinstance(value, list):
        return
    allowed = either([*known]) or "nothing, as there are none"
    if filled and not value:
        yield Problem(path=path, found="an empty list", allowed=f"one or more of {', '.join(known)}")
    for index, name in enumerate(value):
        if isinstance(name, str) and name not in known:
            hint = nearest(name, known)
            yield Problem(path=(*path, index), found=shown(name), allowed=allowed, hint=hint)
        elif name in value[:index]:
            yield Problem(path=(*path, index), found=f"{shown(name)} twice", allowed="each name once")


def _check_edge(edge: Table, providers: Collection[str]) -> Iterator[Problem]:
    yield from _dangling(edge.get("on"), providers, ("edge", "on"), filled=True)
    home = edge.get("home")
    if isinstance(home, str) and home and home not in providers:
        hint = nearest(home, providers)
        yield Problem(path=("edge", "home"), found=shown(home), allowed=either([*providers]), hint=hint)


def _check_ports(data: Table) -> Iterator[Problem]:
    """The pattern of an address takes five digits; not all of them are a port."""
    addresses: list[tuple[KeyPath, Any]] = [(("edge", "listen"), _table(data, "edge").get("listen"))]
    for name, provider in _tables(data, "providers").items():
        addresses += [(("providers", name, key), provider.get(key)) for key in ("address", "listen")]
    for path, value in addresses:
        port = value.rpartition(":")[2] if isinstance(value, str) else ""
        if port.isascii() and port.isdigit() and len(port) <= 5 and not 1 <= int(port) <= 65535:
            yield Problem(path=path, found=shown(value), allowed="a port from 1 to 65535")


def _check_shared_ports(data: Table, kinds: Mapping[str, ProviderKind]) -> Iterator[Problem]:
    """Edges of this machine cannot all listen in the same place."""
    edge = _table(data, "edge")
    on = edge.get("on")
    taken: dict[tuple[str, str], str] = {}
    for name, provider in _tables(data, "providers").items():
        if not _is_local(provider, kinds) or (on is not None and not (isinstance(on, list) and name in on)):
            continue
        listen = provider.get("listen", edge.get("listen", EdgeDeclaration().listen))
        if not isinstance(listen, str):
            continue
        host, _, port = listen.rpartition(":")
        host = _LOOPBACK if host == "localhost" else host
        rival = _rival(taken, host, port)
        taken.setdefault((host, port), name)
        if rival:
            yield Problem(
                path=("providers", name, "listen"),
                found=f"an edge at {shown(listen)}, where the edge of {rival} listens too",
                allowed="an address of its own",
                hint=f'give it one, or write on = "{HERE}" in [edge] for one edge outside every site',
            )


def _rival(taken: Mapping[tuple[str, str], str], host: str, port: str) -> str:
    for (other, its_port), name in taken.items():
        if port == its_port and (host == other or host in _EVERYWHERE or other in _EVERYWHERE):
            return name
    return ""


def _check_stores(providers: Mapping[str, Table], kinds: Mapping[str, ProviderKind]) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    allowed = ", ".join(f"{scheme}:" if scheme == "file" else f"{scheme}://" for scheme in STORE_SCHEMES)
    for name, provider in providers.items():
        url, path = provider.get("store", ""), ("providers", name, "store")
        if not isinstance(url, str):
            continue
        if not url:
            if _is_local(provider, kinds) is False:
                yield Problem(path=path, found="nothing", allowed=f"a URL that begins with {allowed}")
        elif not _is_store(url):
            yield Problem(path=path, found=shown(url), allowed=f"a URL that begins with {allowed} and names a place")
        elif (same := url.rstrip("/")) in taken:
            where = written(("providers", taken[same], "store"))
            yield Problem(path=path, found=f"the store of {where}", allowed="a store of its own")
        else:
            taken[same] = name


def _is_store(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    place = parts.path.strip("/") if parts.scheme == "file" else parts.netloc
    return parts.scheme in STORE_SCHEMES and bool(place)


def _is_local(provider: Table, kinds: Mapping[str, ProviderKind]) -> bool | None:
    """Whether it runs on this machine; None where its kind is not known."""
    kind = provider.get("kind")
    return kinds[kind].local_store if isinstance(kind, str) and kind in kinds else None


def _table(data: Table, key: str) -> Table:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _tables(data: Table, key: str) -> dict[str, Table]:
    return {name: table for name, table in _table(data, key).items() if isinstance(table, dict)}
