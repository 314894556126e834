"""Lines of code, each in a span of its own, for numbers that a style sheet counts and nobody copies.

No span crosses a line: what is open at its end is closed and opened again in the next one.
"""

from __future__ import annotations

import re

_MARK = re.compile(r"(<span[^>]*>)|(</span>)|\n")


def numbered(html: str) -> str:
    """Highlighted code, as `highlight` makes it, as lines."""
    parts, open_spans, position = ['<span class="line">'], list[str](), 0
    for found in _MARK.finditer(html):
        if found[1]:
            open_spans.append(found[1])
        elif found[2]:
            open_spans.pop()
        else:
            closed, opened = "</span>" * len(open_spans), "".join(open_spans)
            parts += (html[position : found.start()], closed, '</span>\n<span class="line">', opened)
            position = found.end()
    return "".join((*parts, html[position:], "</span>"))
