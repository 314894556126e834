"""Whether a piece of HTML is built to hurt the parsers that will read it.

An HTML parser keeps a stack of open elements and a list of formatting elements that were left open. Depth costs it
quadratic time; each formatting element left open is copied into every later block, so a megabyte of `<b><p>` becomes
gigabytes. Browsers also flatten what is deeper than 512, which makes two parsers disagree about one text. No page
that a person wrote comes near: what does is not parsed at all. The scan here is linear and errs to the side of "too
deep": a tag that it does not understand counts as one that never closes.
"""

from __future__ import annotations

import re

from amalthea.services.nbviewer.render.words import words

_DEPTH = 200
_COPIES = 4_000_000  # characters of formatting tags that a parser would repeat
_FEW = 200  # with so few tags nothing bad can be built

_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<raw>script|style|textarea|title|xmp|iframe|noembed|noframes|noscript)(?=[\s/>]).*?(?:</(?P=raw)(?=[\s/>])|\Z)"
    r"|<(?P<close>/?)(?P<name>[a-z][^\s/>\x00]*+)"
    r"(?:\s++[^\s\"'<>/=]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>`]++))?+)*+\s*+/?+>"
    r"|<(?=[a-z/!?])",
    re.IGNORECASE | re.DOTALL,
)
_LEAF = re.compile(r"<(t[dh])(?: \w{1,20}=\"[^\"<>]{0,200}\")*>[^<>]*</\1>")  # most of a data frame
_VOID = words("area base br col embed hr img input link meta param source track wbr")
_FORMATTING = words("a b big code em font i nobr s small strike strong tt u")
_IMPLIED = {  # elements whose end tag may be left out: what an open one of them is closed by
    "p": "p",
    "li": "li",
    "td": "cell",
    "th": "cell",
    "tr": "row",
    "thead": "rows",
    "tbody": "rows",
    "tfoot": "rows",
    "dt": "term",
    "dd": "term",
    "option": "option",
}
_WALLS = words("table caption template object marquee applet button")


def too_deep(html: str) -> bool:
    """Whether a parser should be kept away from `html`."""
    if html.count("<") <= _FEW:
        return False
    rest, leaves = _LEAF.subn("\N{MIDDLE DOT}", html)
    scan = _Scan()
    return any(map(scan.exceeds, _TAG.finditer(rest))) or scan.copied + scan.loose * leaves > _COPIES


class _Scan:
    """The stack of open elements, roughly as a parser has it, and what was left open on it."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, int]] = []
        self.loose = 0  # characters of formatting tags left open
        self.copied = 0

    def exceeds(self, found: re.Match[str]) -> bool:
        """Take one tag; whether that went over a bound."""
        self.copied += self.loose
        name = found["name"]
        if name is None:
            if found[0] == "<":
                self.stack.append(("?", 1))
        elif found["close"]:
            self._close(name.lower())
        elif name.lower() not in _VOID:
            self._open(name.lower(), len(found[0]))
        return len(self.stack) > _DEPTH or self.copied > _COPIES

    def _open(self, name: str, length: int) -> None:
        family = _IMPLIED.get(name)
        if family is not None:
            for depth in range(len(self.stack) - 1, -1, -1):
                other = self.stack[depth][0]
                if _IMPLIED.get(other) == family:
                    self._pop(depth)
                    break
                if other not in _IMPLIED and other not in _FORMATTING:
                    break
        self.stack.append((name, length))

    def _close(self, name: str) -> None:
        for depth in range(len(self.stack) - 1, -1, -1):
            other = self.stack[depth][0]
            if other == name:
                if name in _FORMATTING:
                    del self.stack[depth]
                else:
                    self._pop(depth)
                return
            if other in _WALLS:
                return

    def _pop(self, depth: int) -> None:
        self.loose += sum(length for name, length in self.stack[depth + 1 :] if name in _FORMATTING)
        del self.stack[depth:]
