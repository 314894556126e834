"""Text into HTML. Every string of a notebook goes through here, or through the sanitiser in `cleaning`."""

from __future__ import annotations


def text(value: str) -> str:
    """Escape for the inside of an element. Guarded: most strings hold none of the three characters."""
    if "&" in value:
        value = value.replace("&", "&amp;")
    if "<" in value:
        value = value.replace("<", "&lt;")
    if ">" in value:
        value = value.replace(">", "&gt;")
    return value


def attribute(value: str) -> str:
    """Escape for the inside of a double-quoted attribute."""
    return text(value).replace('"', "&quot;")
