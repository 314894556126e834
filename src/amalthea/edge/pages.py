"""The pages that the edge itself shows: the list of services, and the one for when no site has a service.

They are small texts inside the proxy's table, so they are there when every process of ours is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>{refresh}<style>
:root{{color-scheme:light dark;--g:#fff;--i:#22201c;--q:#625d54;--l:#dcd8cf;--a:#a3450f}}
@media(prefers-color-scheme:dark){{:root{{--g:#191817;--i:#ebe8e2;--q:#a8a297;--l:#3d3a36;--a:#f0925a}}}}
body{{margin:0;background:var(--g);color:var(--i);font:1rem/1.55 system-ui,sans-serif}}
main{{max-width:38rem;margin:10vh auto;padding:0 1rem}}h1{{line-height:1.2}}
a{{color:var(--a)}}ul{{list-style:none;padding:0}}li{{border-top:1px solid var(--l);padding:.8rem 0}}
li a{{font-weight:650;font-size:1.1rem}}p,li span{{color:var(--q)}}li span{{display:block}}
</style></head><body><main>{body}</main></body></html>
"""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One service in the list: its name, where it is, what it is for."""

    name: str
    url: str
    summary: str


def index(fleet: str, entries: Sequence[Entry]) -> str:
    """The page that lists the services."""
    items = "".join(
        f'<li><a href="{escape(e.url)}/">{escape(e.name)}</a><span>{escape(e.summary)}</span></li>' for e in entries
    )
    return _PAGE.format(title=escape(fleet), refresh="", body=f"<h1>{escape(fleet)}</h1><ul>{items}</ul>")


def nothing_here(home: str) -> str:
    """The page for a name that is none of ours."""
    body = f'<h1>There is nothing under this name</h1><p><a href="{escape(home)}/">See what there is</a>.</p>'
    return _PAGE.format(title="Not found", refresh="", body=body)


def unavailable(service: str, status_url: str) -> str:
    """The page for a service that no site has just now; it tries again by itself."""
    link = f' The <a href="{escape(status_url)}/">status page</a> knows more.' if status_url else ""
    body = (
        f"<h1>{escape(service)} is not available just now</h1>"
        f"<p>None of the places that run it answers. This page tries again every 10 seconds.{link}</p>"
    )
    return _PAGE.format(
        title=f"{escape(service)} is not available", refresh='<meta http-equiv="refresh" content="10">', body=body
    )
