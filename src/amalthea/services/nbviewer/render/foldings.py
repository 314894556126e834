"""What of a cell its author hid or removed, in the words of every tool that has some.

Tags are those of Jupyter Book, with dashes or underscores, and the usual ones of nbconvert; metadata is JupyterLab's,
the classic notebook's and its extensions'; comments at the head of the code are those of nbdev, fastpages, Quarto and
Colab. What is hidden can be opened; what is removed is not there at all. Where a tool leaves out a whole cell for its
comment alone, it is hidden here: a reader of the notebook itself wants to find it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from amalthea.services.nbviewer.render.notebook import Folding

_OPEN = Folding()
_TAGS: Mapping[str, tuple[str, ...]] = {  # with dashes
    "hide-cell": ("hide_source", "hide_outputs"),
    "hide-input": ("hide_source",),
    "hide-output": ("hide_outputs",),
    "hide-outputs": ("hide_outputs",),
    "remove-cell": ("remove_cell",),
    "remove-input": ("remove_source",),
    "remove-output": ("remove_outputs",),
    "remove-outputs": ("remove_outputs",),
    "remove-all-outputs": ("remove_outputs",),
    "output-scroll": ("scrolled",),
    "scroll-output": ("scrolled",),
}
_FLAGS: Mapping[str, str] = {  # true in the metadata of a cell
    "collapsed": "hide_outputs",
    "hide_input": "hide_source",
    "hideCode": "hide_source",
    "hide_output": "hide_outputs",
    "hideOutput": "hide_outputs",
    "scrolled": "scrolled",
}
_STREAMS = {"remove-stdout": "stdout", "remove-stderr": "stderr"}
_DIRECTIVE = re.compile(r"#[ \t]*(?:\|[ \t]*)?([a-z][a-z_\-]*)(?:[ \t]*:[ \t]*(true|false))?[ \t]*")
_DIRECTIVES: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("hide", None): ("hide_source", "hide_outputs"),
    ("hide", "true"): ("hide_source", "hide_outputs"),
    ("include", "false"): ("hide_source", "hide_outputs"),
    ("hide-input", None): ("hide_source",),
    ("collapse", None): ("hide_source",),
    ("collapse-hide", None): ("hide_source",),
    ("collapse-input", None): ("hide_source",),
    ("echo", "false"): ("hide_source",),
    ("code-fold", "true"): ("hide_source",),
    ("hide-output", None): ("hide_outputs",),
    ("collapse-output", None): ("hide_outputs",),
    ("output", "false"): ("hide_outputs",),
}
_TITLE = re.compile(r"#[ \t]*@title[ \t]+([^\n{]{0,200})(\{[^\n}]*display-mode:[ \t]*[\"']form)?")


def folding(metadata: Mapping[str, Any], code: str) -> tuple[Folding, str]:
    """What is folded, and what stands for the code then; `code` is empty for cells of other kinds."""
    if not metadata and not code.startswith("#"):
        return _OPEN, ""
    title = _TITLE.match(code) if "@title" in code[:20] else None
    found = {part for tag in _tags(metadata) for part in _TAGS.get(tag, ())} if "tags" in metadata else set[str]()
    for key, value in metadata.items():
        if value is True and key in _FLAGS:
            found.add(_FLAGS[key])
    jupyter = metadata.get("jupyter")
    if isinstance(jupyter, dict):
        found.update(part for part in ("hide_source", "hide_outputs") if jupyter.get(_JUPYTER[part]) is True)
    if metadata.get("nbsphinx") == "hidden":
        found.add("remove_cell")
    if metadata.get("cellView") == "form" or (title and title[2]):
        found.add("hide_source")
    if code.startswith("#"):
        found.update(_directed(code))
    made = msgspec.convert(dict.fromkeys(found, True), Folding) if found else _OPEN
    return made, title[1].strip() if title else ""


def also(given: Folding, *, hide_source: bool, hide_outputs: bool) -> Folding:
    """The same with more hidden."""
    return msgspec.structs.replace(
        given, hide_source=given.hide_source or hide_source, hide_outputs=given.hide_outputs or hide_outputs
    )


def left(outputs: Sequence[Any], metadata: Mapping[str, Any]) -> tuple[Any, ...]:
    """The outputs without the streams that a tag removes."""
    removed = {_STREAMS[tag] for tag in _tags(metadata) if tag in _STREAMS} if "tags" in metadata else None
    if not removed:
        return tuple(outputs)
    return tuple(one for one in outputs if not (isinstance(one, dict) and one.get("name") in removed))


def _tags(metadata: Mapping[str, Any]) -> list[str]:
    found = metadata.get("tags")
    return [tag.replace("_", "-") for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def _directed(code: str) -> list[str]:
    """What the comments at the head of some code ask for."""
    parts = list[str]()
    for line in code[:1000].split("\n")[:10]:
        if not line.startswith("#"):
            break
        found = _DIRECTIVE.fullmatch(line.rstrip("\r"))
        if found:
            parts += _DIRECTIVES.get((found[1].replace("_", "-"), found[2]), ())
    return parts


_JUPYTER = {"hide_source": "source_hidden", "hide_outputs": "outputs_hidden"}
