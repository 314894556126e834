"""The one error tree. An error says what is wrong, where, and what to do next; it carries its exit code.

    AmaltheaError                     1  our fault, or unknown
    +-- UsageError                    2  the command line or the fleet file is wrong
    +-- UnsafePlan                    3  a plan was refused
    +-- Unreachable                   4  a provider or a store does not answer or does not obey
    |   +-- ProviderError
    |   |   +-- PortInUse                (also: exit code 4)
    |   +-- StoreError
    |       +-- StoreUnavailable         no answer, no permission, a full disk: may pass
    |       +-- ObjectMissing            nothing under that key
    |       +-- ObjectExists             `if_absent` found something
    |       +-- InvalidKey               the key is not one a store takes
    +-- DrillFailed                   5
    +-- VaultError                    6

Packages derive their own from these, in their `errors.py`.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the `amalthea` command returns to the shell."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    UNSAFE = 3
    UNREACHABLE = 4
    DRILL = 5
    VAULT = 6


class AmaltheaError(Exception):
    """Something that a person has to know about.

    `where` is a path in the fleet file, a URL or an object key; `hint` is the next thing to do.
    """

    exit_code = ExitCode.FAULT

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"


class UsageError(AmaltheaError):
    """The command line or the fleet file is wrong."""

    exit_code = ExitCode.USAGE


class UnsafePlan(AmaltheaError):
    """A plan would do something that has to be asked for by name."""

    exit_code = ExitCode.UNSAFE


class Unreachable(AmaltheaError):
    """Something outside this process does not answer, or does not do as told."""

    exit_code = ExitCode.UNREACHABLE


class ProviderError(Unreachable):
    """A provider could not start, stop or show a workload."""


class PortInUse(ProviderError):
    """Somebody else listens where a workload has to."""


class StoreError(Unreachable):
    """A store could not do what was asked."""


class StoreUnavailable(StoreError):
    """The store did not answer or could not write; the same call may succeed later."""


class ObjectMissing(StoreError):
    """There is no object under that key."""


class ObjectExists(StoreError):
    """`if_absent` was asked for, and there is an object under that key."""


class InvalidKey(StoreError):
    """The key is not one that a store takes; see `model.store.check_key`."""


class DrillFailed(AmaltheaError):
    """A rehearsed loss was not survived."""

    exit_code = ExitCode.DRILL


class VaultError(AmaltheaError):
    """A secret could not be sealed or opened."""

    exit_code = ExitCode.VAULT
