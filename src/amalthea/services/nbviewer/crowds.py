"""How much new work one network may ask for, so that a crawler cannot starve people.

Clients are counted by network (/24 of IPv4, /56 of IPv6), never by what they say of themselves. Each network has a
bucket of tokens that fills slowly. Work that is new costs them: asking a source, rendering, asking a source to check
now; most of all a notebook that costs a worker its life. A page that is there costs nothing, so that a university
behind one address may read the same course all day.

Who asks is known to the request's task and to what it starts (a context variable), not handed through every source.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from math import ceil

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from amalthea.model.errors import UsageError
from amalthea.services.nbviewer.errors import TooOften
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.web.visitors import Visitors

FETCH = 0.5
RENDER = 0.5
FLUSH = 1.0
TOO_HARD = 10.0
_NETWORKS = 65_536

_asking: ContextVar[str] = ContextVar("network that asks", default="")


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """`pages` new ones at once, and as many again in `seconds`."""

    pages: int
    seconds: float


class _Bucket(msgspec.Struct):
    left: float
    at: float


class Crowds:
    """The buckets of the networks seen last. `seconds` is a clock that never goes back."""

    def __init__(self, allowance: Allowance, *, seconds: Callable[[], float], instruments: Instruments) -> None:
        if allowance.seconds <= 0:
            raise UsageError("this takes some time", where="services.nbviewer.rate_limit_interval")
        self._allowance = allowance
        self._seconds = seconds
        self._refused = instruments.refused
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    @property
    def who(self) -> str:
        """The network that asks now; empty for this server's own work."""
        return _asking.get()

    def charge(self, cost: float, why: str) -> None:
        """Take tokens from whoever asks now. Raises `TooOften` where there are too few."""
        who = self.who
        if not who:
            return
        bucket = self._filled(who)
        if bucket.left < cost:
            self._refused.labels(why).inc()
            wait = (cost - bucket.left) * self._allowance.seconds / self._allowance.pages
            raise TooOften(
                "Your network asks for more new pages than this server makes for one network.",
                seconds=max(1, ceil(wait)),
                hint="Pages that were shown lately are still shown. For the others, wait a little.",
            )
        bucket.left -= cost

    def debit(self, cost: float) -> None:
        """Take tokens for work that turned out to be more than was paid for; a bucket may be left with a debt."""
        if self.who:
            bucket = self._filled(self.who)
            bucket.left = max(-float(self._allowance.pages), bucket.left - cost)

    def _filled(self, who: str) -> _Bucket:
        now, most = self._seconds(), float(self._allowance.pages)
        bucket = self._buckets.setdefault(who, _Bucket(most, now))
        self._buckets.move_to_end(who)
        if len(self._buckets) > _NETWORKS:
            self._buckets.popitem(last=False)
        rate = most / self._allowance.seconds
        bucket.left, bucket.at = min(most, bucket.left + (now - bucket.at) * rate), now
        return bucket


class Counted:
    """The application, whose work knows which network asks."""

    def __init__(self, app: ASGIApp, visitors: Visitors) -> None:
        self.app = app
        self._visitors = visitors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, in the name of its network."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        token = _asking.set(self._visitors.network(scope))
        try:
            await self.app(scope, receive, send)
        finally:
            _asking.reset(token)
