"""The Content-Security-Policy of a frame's document, sent by the content origin with every answer.

The document runs a stranger's scripts. `sandbox` without `allow-same-origin` takes its origin away, also where
somebody opens its address directly: no cookie, no storage, no other document can be reached. Sources name the content
origin explicitly, as `'self'` means nothing to a document without an origin, and only its `/lib/`. `hosts` are where
people's own scripts may load from.
"""

from __future__ import annotations

from collections.abc import Sequence


def frame_csp(content_origin: str, hosts: Sequence[str], *, ancestors: Sequence[str] = ()) -> str:
    """The policy. `hosts` are source expressions such as `https:` or `https://cdn.example.org`.

    `ancestors` are the origins whose pages may show the frame; any may where there are none.
    """
    library = f"{content_origin.rstrip('/')}/lib/"
    third = " ".join(hosts)
    directives = {
        "sandbox": "allow-scripts",
        "default-src": "'none'",
        "script-src": f"{library} 'unsafe-inline' 'unsafe-eval' blob: data: {third}",
        "style-src": f"{library} 'unsafe-inline' data: {third}",
        "img-src": f"{library} data: blob: {third}",
        "font-src": f"{library} data: {third}",
        "media-src": f"data: blob: {third}",
        "connect-src": f"{library} data: blob: {third}",
        "worker-src": "blob:",
        "frame-src": f"data: blob: {third}",
        "form-action": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }
    named = [origin for origin in ancestors if "[" not in origin]  # a policy cannot name an IPv6 address
    if named:
        directives["frame-ancestors"] = " ".join(named)
    lines = [f"{name} {value}".strip() for name, value in directives.items()]
    if content_origin.startswith("https:"):  # old notebooks load their libraries by http
        lines.append("upgrade-insecure-requests")
    return "; ".join(lines)
