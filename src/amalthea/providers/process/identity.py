"""Whose a process is: written into its environment when it starts, read from there ever after."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import msgspec

from amalthea.model.errors import ProviderError

FLEET_DIRECTORY = "AMALTHEA_FLEET_DIRECTORY"
EXEC_PID = "AMALTHEA_EXEC_PID"
"""Equals the process's own number in the child itself, and in nothing that the child starts."""

KEEPER = "keeper"

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PORT = "AMALTHEA_PORT_"
_PORT_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """One workload of one site of the fleet that lives in `directory` (absolute, without symbolic links)."""

    directory: str
    fleet: str
    site: str
    key: str
    name: str
    service: str
    ports: Mapping[str, int] = {}

    def variables(self) -> dict[str, str]:
        """The environment that says so."""
        return {
            FLEET_DIRECTORY: self.directory,
            "AMALTHEA_FLEET": self.fleet,
            "AMALTHEA_SITE": self.site,
            "AMALTHEA_WORKLOAD": self.key,
            "AMALTHEA_NAME": self.name,
            "AMALTHEA_SERVICE": self.service,
            **{f"{_PORT}{name.upper()}": str(number) for name, number in self.ports.items()},
        }

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Identity | None:
        """What an environment says, or None where it does not say it all."""
        try:
            return cls(
                directory=environment[FLEET_DIRECTORY],
                fleet=environment["AMALTHEA_FLEET"],
                site=environment["AMALTHEA_SITE"],
                key=environment["AMALTHEA_WORKLOAD"],
                name=environment["AMALTHEA_NAME"],
                service=environment["AMALTHEA_SERVICE"],
                ports={
                    name.removeprefix(_PORT).lower(): int(number)
                    for name, number in environment.items()
                    if name.startswith(_PORT)
                },
            )
        except (KeyError, ValueError):
            return None


def plain(text: str, what: str) -> str:
    """Return `text` if it may be part of a file name, else raise `ProviderError`."""
    if _PLAIN.fullmatch(text) is None:
        raise ProviderError(
            f"{what} has at most 128 letters, digits, dots, hyphens and underscores, a letter or digit first",
            where=repr(text[:80]),
        )
    return text


def check_port_names(ports: Mapping[str, int]) -> None:
    """Raise `ProviderError` for a name that a variable's name cannot carry back."""
    for name in ports:
        if _PORT_NAME.fullmatch(name) is None:
            raise ProviderError("a port's name has small letters, digits and underscores", where=repr(name))


def real(directory: os.PathLike[str] | str) -> str:
    """How processes name the fleet's directory."""
    return os.path.realpath(directory)
