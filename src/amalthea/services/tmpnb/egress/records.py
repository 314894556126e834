"""What is kept of each connection, and said of it in the log."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How a connection ended, or why it did not begin."""

    OPEN = "open"
    """It is still there."""
    DONE = "done"
    """Both sides have said all they had to say."""
    MALFORMED = "malformed"
    """Not a request that can be read in one way only."""
    LARGE = "large"
    """The head of the request is longer than it may be."""
    METHOD = "method"
    """Neither CONNECT nor a plain GET or HEAD, or not on this port."""
    HOST = "host"
    """A host or port that is not on the list."""
    UNRESOLVED = "unresolved"
    """The name has no address; the session is told the same as for `address`."""
    ADDRESS = "address"
    """The name leads to an address that is not connected to."""
    UNREACHABLE = "unreachable"
    """No address of it answered."""
    PLAIN = "plain"
    """What was sent to port 443 was not TLS."""
    NAME = "name"
    """TLS that asks for another name than the one allowed, or hides which."""
    BUSY = "busy"
    """Too many connections at once."""
    OFTEN = "often"
    """Too many new connections in a minute."""
    SPENT = "spent"
    """The session has sent all that it may."""
    SLOW = "slow"
    """It did not say in time what it wants."""
    IDLE = "idle"
    """Nothing went either way for too long."""
    BROKEN = "broken"
    """One side went away without saying that it ends, as many clients do when they have what they want."""
    ENDED = "ended"
    """The session ended."""
    FAULT = "fault"
    """Our own mistake; the log has more."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One connection of a session. `up` and `down` are bytes from and to the session; `seconds` is how long it took.

    `method`, `host` and `port` are empty and 0 as long as it has not said them in a form that can be read.
    """

    session: str
    started: datetime
    verdict: Verdict
    method: str = ""
    host: str = ""
    port: int = 0
    up: int = 0
    down: int = 0
    seconds: float = 0.0
