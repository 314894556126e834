"""Where nbviewer's own paths are, when it lies below a path such as `/services/nbviewer/`.

Everything inside knows only paths as they are at the root of a host. A request loses the base before it is seen
(`web.based`), and whatever goes out passes here once: redirects, the bases of a notebook's relative addresses, and
every address in a template, as `at(...)`. What a notebook itself says from the root of the host stays as it says.
"""

from __future__ import annotations

from amalthea.model.errors import UsageError

ROOT = "/"


def normal(base: str, *, where: str) -> str:
    """A base with a slash at both ends. Raises `UsageError` for what is no path."""
    within = base.strip("/")
    made = f"/{within}/" if within else ROOT
    if "//" in made or any(part in (".", "..") for part in made.split("/")):
        raise UsageError(f"this is no path to lie below: {base!r}", where=where, hint="Write it as in /nbviewer/.")
    return made


def based(base: str, location: str) -> str:
    """An address as a visitor's browser needs it: a path of ours below the base, everything else as it is."""
    own = location.startswith("/") and not location.startswith("//")
    return base + location[1:] if own else location
