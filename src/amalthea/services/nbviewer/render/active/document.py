"""One document for a frame: a small page with data, libraries and the script that starts them.

The document stands on white paper in both themes, like every figure on our pages: plots are drawn for it. Data goes
into an inert `<script type="application/json">` in which `<` never stands, so that nothing in it can end the element.
`frame.js` comes first: it reports the height to the page around the frame and says what went wrong.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.active.libraries import library_url

_STYLE = (
    ":root{color-scheme:light;background:#fff;color:#1c1b19;font:15px/1.5 system-ui,sans-serif}"
    "body{margin:0}"
    ".nb-note{margin:.3rem 0;padding:.3rem .7rem;border-left:3px solid #b9b3a6;color:#5b564c;font-size:.88rem}"
    ".nb-standin{white-space:pre-wrap;margin:.3rem .7rem}"
)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What a frame shows.

    title:      what it is, for people: `Plotly figure`
    body:       what stands inside `<body>`, live
    libraries:  names of files that are loaded first, in order; `starter` is loaded after the body
    height:     pixels that the frame has until it reports its own height
    head:       what else stands inside `<head>`, live
    whole:      whether `body` is a whole document already
    """

    title: str
    body: str
    libraries: tuple[str, ...] = ()
    starter: str = ""
    height: int = 450
    head: str = ""
    whole: bool = False

    def html(self) -> str:
        """The whole document."""
        if self.whole:
            return f"<!doctype html>\n{self.body}"
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape.text(self.title)}</title>\n<style>{_STYLE}</style>\n"
            f"{script('frame')}{''.join(map(script, self.libraries))}{self.head}</head>\n"
            f"<body>\n{self.body}\n{script(self.starter) if self.starter else ''}</body>\n</html>\n"
        )


def script(name: str) -> str:
    """The element that loads a file of ours."""
    return f'<script src="{library_url(name)}"></script>\n'


def data(value: Any, *, name: str = "data", kind: str = "application/json") -> str:
    """An inert element that holds a JSON value; scripts find it by its id."""
    return f'<script type="{kind}" id="{name}">{as_json(value)}</script>\n'


def as_json(value: Any) -> str:
    """JSON that may stand inside a `<script>`: no `<`, no line ends that only JSON knows."""
    try:
        text = msgspec.json.encode(value).decode()
    except (ValueError, OverflowError, RecursionError):  # numbers beyond 64 bits
        text = json.dumps(value, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def output(standin: str = "") -> str:
    """Where a starter puts what it makes; the stand-in is a text that is shown where that fails."""
    hidden = f'<pre class="nb-standin" id="standin" hidden>{escape.text(standin)}</pre>\n' if standin.strip() else ""
    return f'<div id="output"></div>\n{hidden}'
