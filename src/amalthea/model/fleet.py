"""The whole declared thing, as the fleet file says it.

Field descriptions are the documentation: `amalthea docs`, the JSON schema and the reference page are made
from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

HERE = "here"
"""The site name of an edge that stands outside every site, on the machine that plans."""

Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{0,30}$",
        description="lower-case letters, digits and hyphens, a letter first, 31 at most",
    ),
]
Address = Annotated[
    str,
    Meta(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$", description="host:port, such as 127.0.0.1:8000"),
]


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who can operate the fleet."""

    age: Annotated[str, Meta(description="The age recipient that secrets are sealed to.", examples=["age1..."])] = ""
    ssh: Annotated[
        str, Meta(description="The key that signs commits and journals.", examples=["ssh-ed25519 AAAA..."])
    ] = ""


class Account(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account that pays for a provider."""

    kind: Annotated[Literal["own", "donated", "credits"], Meta(description="Who pays.")] = "own"
    ends: Annotated[
        date | None, Meta(description="The day on which the money ends.", examples=[date(2026, 12, 31)])
    ] = None
    owners: Annotated[tuple[str, ...], Meta(description="The people who can log in.", examples=[["ada", "grace"]])] = ()
    billing: Annotated[
        tuple[str, ...], Meta(description="The people who see and pay the bill.", examples=[["ada"]])
    ] = ()


class ProviderDeclaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place that runs workloads, with its own account and its own failure domain."""

    kind: str
    store: str = ""
    address: str = ""
    listen: str = ""
    account: Account = Account()
    settings: Any = None


class EdgeDeclaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The proxy in front of every service."""

    on: Annotated[
        Literal["here"] | tuple[str, ...] | None,
        Meta(
            description="The providers that run an edge, all of them when left out; `here` is one edge outside "
            "every site, on the machine that runs `amalthea`.",
            examples=["here"],
        ),
    ] = None
    listen: Annotated[Address, Meta(description="Where an edge listens; a provider's own `listen` goes first.")] = (
        "127.0.0.1:8000"
    )
    home: Annotated[
        str,
        Meta(description="The site that an edge outside every site prefers; left out, all sites share the visitors."),
    ] = ""
    scheme: Annotated[
        Literal["http", "https"] | None,
        Meta(description="How the public names are written: http on localhost, else https.", examples=["https"]),
    ] = None
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(
            description="The port in public URLs: on localhost the one the edge listens on, else none.",
            examples=[8443],
        ),
    ] = None


class ServiceDeclaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service: where it runs, how often, and the settings that are its own."""

    on: tuple[str, ...]
    replicas: int = 1
    settings: Any = None


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """How public names and URLs are made from a service's name, and which services there are to link to."""

    domain: str
    scheme: str = "https"
    port: int | None = None
    services: tuple[str, ...] = ()

    def host(self, service: str) -> str:
        """The public name, without a port; what has a dot is a whole name already, but for a wildcard below one."""
        if service.startswith("*."):
            return f"*.{self.host(service[2:])}"
        return service if "." in service else f"{service}.{self.domain}"

    def url(self, service: str) -> str:
        """The public URL, without a slash at the end."""
        return f"{self.scheme}://{self.host(service)}{self._port}"

    @property
    def home(self) -> str:
        """The URL of the page that lists the services."""
        return f"{self.scheme}://{self.domain}{self._port}"

    @property
    def _port(self) -> str:
        return f":{self.port}" if self.port else ""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as it runs this fleet. `stores` are the stores of all sites as URLs, its own first."""

    name: str
    fleet: str
    names: Names
    stores: tuple[str, ...] = ()


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """One fleet file, checked and with every default filled in."""

    name: str
    domain: str
    blast_radius: float = 0.3
    people: Mapping[str, Person] = {}
    providers: Mapping[str, ProviderDeclaration] = {}
    edge: EdgeDeclaration = EdgeDeclaration()
    services: Mapping[str, ServiceDeclaration] = {}

    @property
    def local(self) -> bool:
        """Whether the public names lead to this machine alone."""
        return self.domain == "localhost" or self.domain.endswith(".localhost")

    @property
    def names(self) -> Names:
        """How the public names of this fleet are written."""
        port = int(self.edge.listen.rpartition(":")[2]) if self.local else None
        return Names(
            domain=self.domain,
            scheme=self.edge.scheme or ("http" if self.local else "https"),
            port=self.edge.port or port,
            services=tuple(self.services),
        )

    @property
    def edge_sites(self) -> tuple[str, ...]:
        """The sites that run an edge; `here` for one outside every site."""
        if self.edge.on == HERE:
            return (HERE,)
        return tuple(self.edge.on) if self.edge.on is not None else tuple(self.providers)

    def sites(self, store_urls: Mapping[str, str]) -> dict[str, Site]:
        """Every site by name; `store_urls` gives each provider's store as an absolute URL."""
        return {
            name: Site(
                name=name,
                fleet=self.name,
                names=self.names,
                stores=(store_urls[name], *(url for other, url in store_urls.items() if other != name)),
            )
            for name in self.providers
        }
