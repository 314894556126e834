"""Whether HTML would lose something that it does, or how it looks, if it were cleaned: then it needs a frame.

The test fails closed. It knows what is harmless, the tags that cleaning keeps or whose loss nobody sees; everything
else, also what nobody has heard of yet, is live. Safety does not hang on it: what it takes for passive is cleaned all
the same. Styles that everybody knows stay harmless: what pandas, R and fastprogress write above their tables.
"""

from __future__ import annotations

import re

_PASSIVE = (
    "a|abbr|address|article|aside|b|bdi|bdo|big|blockquote|body|br|caption|center|cite|code|col|colgroup|dd|del|details"
    "|dfn|div|dl|dt|em|figcaption|figure|font|footer|h[1-6]|head|header|hr|html|i|img|ins|kbd|label|li|main|mark|meta|meter|nav|ol"
    "|p|pre|progress|q|rp|rt|ruby|s|samp|section|small|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|time"
    "|title|tr|tt|u|ul|var|wbr"
)
_LIVE_TAG = re.compile(rf"<(?!(?:{_PASSIVE})(?:[\s/>]|\Z))[a-z]", re.I)
_HANDLER = re.compile(r"<[^<>]{0,2000}?[\s/\"'](?:on[a-z]+|srcdoc|formaction)\s*=|javascript\s*:", re.I)
_KNOWN_STYLE = re.compile(
    r"<style(?:\s+(?:scoped|type=\"text/css\"))*\s*>"
    r"(?:\s*(?:/\*[^*<]*\*/\s*)?(?:\.dataframe|\.list-inline|progress|\.progress-bar)[^<{}]*\{[^<{}]*\})+\s*</style>",
    re.I,
)

_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|title)\b.*?(?:</\1\s*>|\Z)|<(?:link|meta|br)\b[^<>]*>|</?(?:html|head|body|p)\s*>"
    r"|<!doctype[^<>]*>|&nbsp;",
    re.I | re.S,
)
_LOADS = re.compile(
    r"<script\b[^<>]*\ssrc\s*=|require(?:js)?\.config|createElement\(\s*['\"]script|append\(\s*['\"]script|getScript"
    r"|loadScript|\bdefine\s*\(|\bwindow\.[\w$]+\s*=|\bnb-run\b",
    re.I,
)


def live(html: str) -> bool:
    """Whether cleaning would take away what runs, or what can be seen."""
    if "<style" in html:
        html = _KNOWN_STYLE.sub("", html)
    return _LIVE_TAG.search(html) is not None or _HANDLER.search(html) is not None


def seen(html: str) -> bool:
    """Whether anything but scripts and styles stands in it."""
    return bool(_UNSEEN.sub("", html).strip())


def loads(html: str) -> bool:
    """Whether its scripts bring something that later outputs may count on; a style or a setting alone does not."""
    return _LOADS.search(html) is not None
