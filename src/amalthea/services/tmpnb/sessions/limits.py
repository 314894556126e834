"""What one network may start, and who may start nothing."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import date
from ipaddress import IPv4Address, IPv6Address, ip_network

from amalthea.model.clock import Clock
from amalthea.model.errors import UsageError
from amalthea.services.tmpnb.errors import NotAllowed, TooMany
from amalthea.services.tmpnb.settings import Ban

HOUR = 3600.0


class Bans:
    """The networks that may start nothing. Raises `UsageError` for one that is none."""

    def __init__(self, bans: Sequence[Ban], clock: Clock) -> None:
        self._clock = clock
        try:
            self._bans = [(ip_network(network), ban) for ban in bans for network in ban.networks]
        except ValueError as error:
            hint = "Write networks as 203.0.113.0/24."
            raise UsageError(str(error), where="services.tmpnb.bans", hint=hint) from None

    def check(self, address: IPv4Address | IPv6Address | None) -> None:
        """Raises `NotAllowed` for an address that is banned today."""
        today: date = self._clock().date()
        for network, ban in self._bans:
            if address is not None and address in network and (ban.until is None or today <= ban.until):
                until = f" until {ban.until:%d %B %Y}" if ban.until else ""
                raise NotAllowed(
                    f"Your network may not start notebook servers here{until}: {ban.reason}.",
                    hint="If that is a mistake, write to whoever runs this service.",
                )


class Shares:
    """How many sessions each network has started in the last hour; `living` says how many it has now."""

    def __init__(
        self, *, starts: int, at_once: int, living: Callable[[str], int], seconds: Callable[[], float]
    ) -> None:
        self._starts = starts
        self._at_once = at_once
        self._living = living
        self._seconds = seconds
        self._started = defaultdict[str, deque[float]](deque)

    def check(self, network: str, *, waiting: int = 0) -> None:
        """Raises `TooMany` for a network that has its share, with those of its visitors who wait already."""
        if not network:
            return
        if self._living(network) + waiting >= self._at_once:
            raise TooMany(
                f"Your network has {self._at_once} notebook servers here already, and one network may not have more.",
                hint="End one that is not needed any more, or wait until one has ended by itself.",
            )
        started = self._recent(network)
        if len(started) + waiting >= self._starts:
            raise TooMany(
                f"Your network has started {len(started)} notebook servers in the last hour, "
                "and one network may not start more.",
                seconds=max(1.0, started[0] + HOUR - self._seconds()) if started else HOUR,
            )

    def note(self, network: str) -> None:
        """It has started one."""
        if network:
            self._recent(network).append(self._seconds())

    def _recent(self, network: str) -> deque[float]:
        started = self._started[network]
        while started and started[0] <= self._seconds() - HOUR:
            started.popleft()
        if not started and len(self._started) > 10_000:
            self._forget()
            started = self._started[network]
        return started

    def _forget(self) -> None:
        """Those who have started nothing for an hour."""
        oldest = self._seconds() - HOUR
        for network in [n for n, started in self._started.items() if not started or started[-1] <= oldest]:
            del self._started[network]
