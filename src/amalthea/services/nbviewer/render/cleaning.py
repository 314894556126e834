"""Passive HTML out of a stranger's HTML: an allow-list, nothing that runs, nothing that reaches out of its place.

nh3 (the ammonia sanitiser over a real HTML parser) does the work, and the filter here decides on each attribute that
it keeps. Kept classes are a short list: without their style sheets foreign classes mean nothing, and with ours they
could imitate the page. Ids are prefixed. Styles keep harmless properties with harmless values.

`removed` names what a reader misses, for a notice. It is for people alone: safety does not depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import nh3

from amalthea.services.nbviewer.render import escape, links
from amalthea.services.nbviewer.render.nesting import too_deep
from amalthea.services.nbviewer.render.words import words

_TAGS = words(
    "a abbr b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp section "
    "small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr"
)
_WITH_CONTENT = words(
    "script style title textarea noscript noembed noframes iframe object embed applet svg math template select "
    "audio video canvas xmp plaintext frameset head"
)
_ATTRIBUTES = {
    "*": {"id", "class", "style", "title", "dir", "lang", "align"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type", "reversed"},
    "li": {"value"},
    "details": {"open"},
    "table": {"border"},
    "col": {"span"},
    "colgroup": {"span"},
    "td": {"colspan", "rowspan", "headers", "valign", "bgcolor"},
    "th": {"colspan", "rowspan", "headers", "valign", "bgcolor", "scope"},
    "tr": {"valign", "bgcolor"},
    "font": {"color"},
}
_CLASSES = words(
    "dataframe alert alert-info alert-success alert-warning alert-danger alert-block footnotes footnote-ref "
    "footnote-backref markdown-alert markdown-alert-note markdown-alert-tip markdown-alert-important "
    "markdown-alert-warning markdown-alert-caution markdown-alert-title"
)
_STYLES = words(
    "background background-color border border-bottom border-collapse border-color border-left border-radius "
    "border-right border-spacing border-style border-top border-width color display font-family font-size "
    "font-style font-weight height line-height list-style-type margin margin-bottom margin-left margin-right "
    "margin-top max-height max-width min-height min-width padding padding-bottom padding-left padding-right "
    "padding-top text-align text-decoration text-indent vertical-align white-space width word-break float clear"
)
_HARMFUL_STYLE = re.compile(
    r"[\\@<{}]|/\*|(?:url|expression|image|element|attr|var|env|-set)\s*\(|-\s*[.\d]|\d{5}", re.I
)
_BARE = re.compile(
    r"(?:[^<]++|</?(?:p|li|em|strong|code|ul|ol|pre|h[1-6]|blockquote|del|br|hr|table|thead|tbody|tr|th|td)(?: /)?>)*+"
)
_NUMBER = re.compile(r"\d{1,5}")
_SIZE = re.compile(r"\d{1,5}(?:\.\d{1,5})?(?:px|%)?")
_LANGUAGE = re.compile(r"language-[A-Za-z0-9+#_.\-]{1,40}")
_WORD = re.compile(r"[\w#(),.% \-]{1,200}")
_NUMBERS = frozenset({"colspan", "rowspan", "span", "start", "value", "border"})
_WORDS = frozenset({"align", "valign", "dir", "lang", "scope", "type", "bgcolor", "color", "headers"})
_LONGEST_TEXT = 1000

_FRAME = re.compile(
    r"<iframe\b[^<>]{0,2000}?\bsrc\s*=\s*(?:\"([^\"<>]{1,2000})\"|'([^'<>]{1,2000})')[^<>]{0,2000}>", re.I
)
_ACTIVE = re.compile(
    r"<(script|object|embed|applet|video|audio|canvas|form|input|button|select|iframe|svg|math)\b", re.I
)
_HANDLER = re.compile(r"<[^<>]{1,2000}?\son[a-z]{3,30}\s*=", re.I)
_TOLD = {"embed": "an embedded object", "object": "an embedded object", "applet": "an applet", "iframe": "a web page",
         "script": "a script", "svg": "a drawing", "math": "a formula", "video": "a video", "audio": "a sound",
         "canvas": "a drawing"}  # fmt: skip


def bare(html: str) -> bool:
    """Whether there is nothing in it but text and tags of text, all without attributes.

    What a program of ours wrote, which closes what it opens, needs no more cleaning then.
    """
    return _BARE.fullmatch(html) is not None and not too_deep(html)


class Cleaned(msgspec.Struct, frozen=True):
    """Safe HTML, and what was taken out of it, in words."""

    html: str
    removed: tuple[str, ...]


class Cleaner:
    """The sanitiser for one notebook. `attachment` gives the data URI of a file attached to the present cell."""

    def __init__(self, *, raw_base: links.Base, link_base: links.Base, attachment: Callable[[str], str | None]) -> None:
        self.raw_base = raw_base
        self.link_base = link_base
        self.attachment = attachment
        self._nh3 = nh3.Cleaner(
            tags=_TAGS,
            clean_content_tags=_WITH_CONTENT,
            attributes=_ATTRIBUTES,
            attribute_filter=self._attribute,
            filter_style_properties=_STYLES,
            url_schemes={"http", "https", "mailto", "data", "attachment"},
            link_rel="noopener nofollow",
            id_prefix=links.ID_PREFIX,
        )

    def clean(self, html: str) -> Cleaned | None:
        """The safe part of `html`, or None where it is built to hurt a parser."""
        if "<" not in html:
            return Cleaned(html if "&" in html else escape.text(html), ())
        removed = _removed(html)
        if removed:
            html = _FRAME.sub(_frame_as_link, html)
        return None if too_deep(html) else Cleaned(self._nh3.clean(html), removed)

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        """What to write for an attribute, or None to leave it out."""
        if name == "href":
            return links.link(value, self.link_base)
        if name == "src":
            return links.image(value, self.raw_base, self.attachment)
        if name == "style":
            return None if len(value) > _LONGEST_TEXT or _HARMFUL_STYLE.search(value) else value
        if name == "class":
            return " ".join(filter(_known_class, value[:_LONGEST_TEXT].split())) or None
        return _plain_attribute(name, value)


def _plain_attribute(name: str, value: str) -> str | None:
    if name in ("id", "name"):
        safe = len(value) <= _LONGEST_TEXT and not value.isspace()
        return (links.ID_PREFIX + value if name == "name" else value) if value and safe else None
    if name in ("width", "height"):
        return value if _SIZE.fullmatch(value) else None
    if name in _NUMBERS:
        return value if _NUMBER.fullmatch(value) else None
    if name in _WORDS:
        return value if _WORD.fullmatch(value) else None
    return value[:_LONGEST_TEXT]


def _known_class(name: str) -> bool:
    return name in _CLASSES or _LANGUAGE.fullmatch(name) is not None


def _removed(html: str) -> tuple[str, ...]:
    found = {_TOLD.get(name.lower(), "a form") for name in _ACTIVE.findall(html)}
    if _HANDLER.search(html):
        found.add("a script")
    return tuple(sorted(found))


def _frame_as_link(found: re.Match[str]) -> str:
    address = found[1] or found[2]
    return f'<p>Embedded page: <a href="{address}">{address}</a></p><iframe>'
