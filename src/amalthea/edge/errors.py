"""What can go wrong between us and the proxy."""

from amalthea.model.errors import Unreachable, UsageError


class EdgeUnreachable(Unreachable):
    """The proxy does not answer on its admin socket."""


class TableRefused(Unreachable):
    """The proxy did not take a table; it keeps the one it had."""


class UnreachableAddress(UsageError):
    """An address that no edge can be told to go to."""
