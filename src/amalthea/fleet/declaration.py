"""The tables of a fleet file that are not nouns of the model.

The keys that every provider and every service has are here; the rest of such a table is described by the
settings struct of the provider's kind, or of the service.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from amalthea.model.fleet import Account, Address, Name
from amalthea.model.workload import Feature

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

Domain = Annotated[
    str,
    Meta(
        pattern=rf"^(?=.{{1,200}}$){_LABEL}(\.{_LABEL})*$",
        description="a domain name in lower case, such as jupyter.example.org",
    ),
]

STORE_SCHEMES = ("file", "s3", "gs", "az")
"""How the URL of a store may begin: a directory, or a bucket at one of three kinds of cloud."""


class FleetTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the fleet is called and how much of it one change may touch."""

    name: Annotated[Name, Meta(description="The name of the fleet.", examples=["jupyter"])]
    domain: Annotated[
        Domain,
        Meta(description="The domain below which every service has its public name.", examples=["jupyter.example.org"]),
    ]
    blast_radius: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="The share of the running workloads that one change may replace or stop without being "
            "asked for by name.",
            examples=[0.5],
        ),
    ] = 0.3


class ProviderTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place that runs workloads, with its own account and its own failure domain."""

    kind: Annotated[str, Meta(description="What runs the workloads there.", examples=["process"])]
    store: Annotated[
        str,
        Meta(
            description="The URL of the site's own store; a provider on this machine may leave it out and gets a "
            "directory. A relative `file:` URL starts at the fleet's state directory.",
            examples=["s3://jupyter-dfw"],
        ),
    ] = ""
    address: Annotated[
        Address,
        Meta(description="Where other sites reach this site's edge, as host:port.", examples=["192.0.2.10:80"]),
    ] = ""
    listen: Annotated[
        Address,
        Meta(
            description="Where this site's edge listens; left out, it is the `listen` of `[edge]`.",
            examples=["127.0.0.1:8001"],
        ),
    ] = ""
    account: Annotated[
        Account,
        Meta(
            description="The account that pays for it.",
            examples=[{"kind": "donated", "owners": ["ada"], "billing": ["ada"]}],
        ),
    ] = Account()


class ServiceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a service runs and how often; the keys that every service has."""

    on: Annotated[
        tuple[str, ...] | None,
        Meta(description="The providers that run it, all of them when left out.", examples=[["north", "south"]]),
    ] = None
    replicas: Annotated[int, Meta(ge=1, le=1000, description="How many copies each provider runs.", examples=[2])] = 1


class ProviderKind(msgspec.Struct, frozen=True, kw_only=True):
    """What can stand behind `kind` in a provider's table, and the struct of the keys that it adds.

    One with `local_store` runs on this machine: it may leave out `store`, and its edges share the machine's ports.
    """

    name: str
    settings: type[Any]
    supports: frozenset[Feature] = frozenset()
    local_store: bool = False
    summary: str = ""
