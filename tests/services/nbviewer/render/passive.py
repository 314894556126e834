"""Reading a rendered page the way a browser would, to find anything in it that is alive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

import html5lib

_NAMES = """
a abbr b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption
figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp section small span strike strong
sub summary sup table tbody td tfoot th thead tr tt u ul var wbr
math mrow mi mo mn mtext mspace mfrac msqrt mroot msup msub msubsup mover munder munderover mtable mtr mtd mstyle
mpadded mphantom menclose
"""
CONTENT = "https://content.example.org"  # the only origin whose frames a page may hold
FRAME = re.compile(rf"{re.escape(CONTENT)}/frame/[0-9a-f]{{64}}")
OF_FRAMES = {"class", "sandbox", "src", "height", "loading", "title"}
BUILT_AT_MOST = 200_000  # html5lib reads a megabyte in some seconds
ALLOWED = frozenset(_NAMES.split())
VOID = frozenset({"br", "col", "hr", "img", "wbr"})
LINK = re.compile(r"(?:https?://|mailto:|#|[^a-zA-Z:]|[a-zA-Z][a-zA-Z0-9+.\-]*(?:[^a-zA-Z0-9+.\-:]|$))", re.IGNORECASE)
IMAGE = re.compile(r"(?:https?://|data:image/(?:png|jpe?g|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*$)", re.IGNORECASE)
RELATIVE = re.compile(r"[^:]*$|[^:]*[/?#].*$", re.DOTALL)
STYLE = re.compile(r"url|expression|import|@|\\|position|z-index|behavior|binding|content", re.IGNORECASE)


class Reader(HTMLParser):
    """Collects what is wrong with a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "iframe":
            self.wrong += frame_faults(dict(attrs))
            attrs = []
        elif tag not in ALLOWED:
            self.wrong.append(f"<{tag}>")
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"declaration {decl}")

    def unknown_decl(self, data: str) -> None:
        self.wrong.append(f"declaration {data}")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"instruction {data}")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        trimmed = re.sub(r"[\x00-\x20]", "", value)
        if name.startswith("on") or name in (
            "srcdoc",
            "srcset",
            "action",
            "formaction",
            "background",
            "ping",
            "target",
        ):
            self.wrong.append(f"{tag} {name}={value}")
        elif name == "href" and not LINK.match(trimmed) and trimmed:
            self.wrong.append(f"{tag} href={value}")
        elif name == "src" and not (IMAGE.match(trimmed) or RELATIVE.match(trimmed)):
            self.wrong.append(f"{tag} src={value[:100]}")
        elif name == "style" and STYLE.search(value):
            self.wrong.append(f"{tag} style={value}")
        elif ":" in name:
            self.wrong.append(f"{tag} {name}")
        elif name == "id":
            self.ids.append(value)
            if not value.startswith(("nb-", "cell-")):
                self.wrong.append(f"{tag} id={value}")


def frame_faults(attributes: Mapping[str, str | None]) -> list[str]:
    """What is wrong with a frame: it is ours, or it is an attack."""
    wrong = [f"iframe {name}" for name in attributes if name not in OF_FRAMES]
    if attributes.get("sandbox") != "allow-scripts":
        wrong.append(f"iframe sandbox={attributes.get('sandbox')}")
    if not FRAME.fullmatch(attributes.get("src") or ""):
        wrong.append(f"iframe src={attributes.get('src')}")
    if not re.fullmatch(r"[1-9]\d{1,4}", attributes.get("height") or ""):
        wrong.append(f"iframe height={attributes.get('height')}")
    if attributes.get("class") != "frame" or not attributes.get("title"):
        wrong.append("iframe class or title")
    return wrong


def reading(body: str) -> Reader:
    """The page, read to the end."""
    reader = Reader()
    reader.feed(body)
    reader.close()
    if reader.open:
        reader.wrong.append(f"never closed: {reader.open}")
    return reader


def assert_passive(body: str) -> Reader:
    """Fail where anything in the page could run, leave its place, or stand for a part of ours."""
    reader = reading(body)
    assert reader.wrong == []
    if len(body) < BUILT_AT_MOST:
        assert built(body) == []
    return reader


def built(body: str) -> list[str]:
    """What is alive in the tree that a browser builds: markup can change its meaning while it is repaired."""
    wrong = []
    for element in html5lib.parseFragment(body, treebuilder="etree").iter():
        # A comment has a function for a name.
        tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "comment"
        if tag == "iframe":
            wrong += frame_faults({str(name): str(value) for name, value in element.attrib.items()})
            wrong += ["iframe with an inside"] if element.text or len(element) else []
        elif tag not in ALLOWED | {"DOCUMENT_FRAGMENT"}:
            wrong.append(f"<{tag}>")
        wrong += [f"{tag} {name}" for name in element.attrib if str(name).lower().startswith("on")]
    return wrong
