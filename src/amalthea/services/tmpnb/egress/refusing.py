"""Answers to what is not done: they say what is allowed instead, and who decides.

The reason in the status line is for people, since it is all that most programs show of a proxy's refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from amalthea.services.tmpnb.egress.records import Verdict
from amalthea.services.tmpnb.egress.rules import Rules

ALERT = b"\x15\x03\x01\x00\x02\x02\x70"
"""TLS for "unrecognized name", fatal: what a client understands once a tunnel is open."""

_NOWHERE = (403, "The name leads nowhere that sessions may connect to")
_STATUS: Mapping[Verdict, tuple[int, str]] = {
    Verdict.MALFORMED: (400, "Not a request that this proxy understands"),
    Verdict.LARGE: (431, "The head of the request is too long"),
    Verdict.METHOD: (405, "Only CONNECT and plain GET and HEAD"),
    Verdict.HOST: (403, "Not on the list of hosts that sessions may connect to"),
    Verdict.UNRESOLVED: _NOWHERE,
    Verdict.ADDRESS: _NOWHERE,
    Verdict.UNREACHABLE: (502, "The host does not answer"),
    Verdict.PLAIN: (403, "Only TLS for the name of the host goes through this port"),
    Verdict.BUSY: (429, "This session has too many connections at once"),
    Verdict.OFTEN: (429, "This session begins too many connections"),
    Verdict.SPENT: (403, "This session has sent all that it may"),
    Verdict.SLOW: (408, "No request in time"),
}


class Refused(Exception):
    """A connection that is not made. `detail` is a sentence for whoever asked; `seconds` when to try again, if ever."""

    def __init__(self, verdict: Verdict, detail: str = "", *, seconds: float = 0.0) -> None:
        super().__init__(detail or verdict.value)
        self.verdict = verdict
        self.detail = detail
        self.seconds = seconds


def answer(refused: Refused, rules: Rules) -> bytes:
    """The whole HTTP answer, after which the connection is closed."""
    status, reason = _STATUS[refused.verdict]
    body = _body(reason, refused.detail, rules).encode()
    fields = [
        f"HTTP/1.1 {status} {reason}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if refused.seconds:
        fields.append(f"Retry-After: {max(1, ceil(refused.seconds))}")
    if status == 405:
        fields.append("Allow: CONNECT, GET, HEAD")
    return "\r\n".join([*fields, "", ""]).encode() + body


def _body(reason: str, detail: str, rules: Rules) -> str:
    hosts = rules.settings.hosts
    listed = "\n".join(f"  {host}" for host in hosts) or "  (none)"
    whom = f" Ask {rules.contact} for more." if rules.contact else ""
    return (
        f"{reason}.\n{detail}\n\nFrom a temporary session you reach these hosts, by HTTPS on port 443 and plain HTTP "
        f"on port 80 unless a port is named:\n\n{listed}\n\nThe list is the setting `egress.hosts` of this service; "
        f"whoever runs the service decides what is on it.{whom}\n"
    )
