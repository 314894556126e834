"""What the table `[services.status]` may hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from amalthea.model.probe import Watch
from amalthea.model.units import Duration


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often to ask, when to believe the answers, and what the page is called."""

    title: Annotated[
        str,
        Meta(
            description="The heading of the page; left out, it is made from the fleet's name.",
            examples=["Jupyter status"],
            max_length=120,
        ),
    ] = ""
    interval: Annotated[
        Duration, Meta(description="How often each service at each site is asked.", examples=["10 s"])
    ] = Duration(10)
    recheck: Annotated[
        Duration,
        Meta(description="How soon to ask again after an answer that is not yet believed.", examples=["1 s"]),
    ] = Duration(1)
    down_after: Annotated[
        int, Meta(description="Failures in a row after which a service is shown as down.", ge=1, le=100)
    ] = 2
    up_after: Annotated[
        int, Meta(description="Successes in a row after which a service is shown as up.", ge=1, le=100)
    ] = 1
    stale_after: Annotated[
        Duration | None,
        Meta(
            description="The age at which an observation says nothing any more and the page shows `unknown`; "
            "left out, three intervals, and more where probes may take long.",
            examples=["30 s"],
        ),
    ] = None
    keep: Annotated[
        Duration, Meta(description="How long a site keeps what it observed, minute by minute.", examples=["14 d"])
    ] = Duration(14 * 86400)
    fallback: Annotated[
        str,
        Meta(
            description="Where visitors are sent when no site has the status page, such as a copy of it that "
            "stands elsewhere; left out, they get a short page.",
            pattern=r"^(https?://\S+)?$",
            examples=["https://status.example.net/"],
        ),
    ] = ""

    def __post_init__(self) -> None:
        for name in ("interval", "recheck", "stale_after", "keep"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"`{name}` has to be more than 0 s")

    def fresh_for(self, watches: Iterable[Watch]) -> float:
        """Seconds for which an observation counts.

        A service that hangs is asked again only after its probe's timeout, so that is allowed for: a hanging
        service has to be shown as down, not as unknown.
        """
        if self.stale_after is not None:
            return self.stale_after
        longest = max((watch.probe.timeout for watch in watches), default=0.0)
        return max(3 * self.interval, 2 * (self.interval + longest))
