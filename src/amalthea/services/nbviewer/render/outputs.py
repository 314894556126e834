"""The outputs under a code cell: neighbouring streams joined, each output in a box of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.active import merged
from amalthea.services.nbviewer.render.bundles import bundle, printed
from amalthea.services.nbviewer.render.formats import output
from amalthea.services.nbviewer.render.guarding import guarded
from amalthea.services.nbviewer.render.notebook import Bundle, Failure, Output, Stream, Unknown
from amalthea.services.nbviewer.render.notices import notice
from amalthea.services.nbviewer.render.page import Page
from amalthea.services.nbviewer.render.terminal import plain


def outputs(values: Iterable[Any], page: Page) -> str:
    """All outputs of a cell as HTML; empty where there is nothing to see."""
    parts: list[str] = []
    found = _joined(values)
    for number, made in enumerate(merged(found) if page.options.content else found):
        if number >= page.limits.outputs:
            page.problem(f"only the first {number:,} outputs are shown")
            parts.append(notice(f"Only the first {number:,} outputs of this cell are shown."))
            break
        parts.append(guarded(partial(_output, made, page), f"output {number + 1}", page))
    return "".join(parts)


def _joined(values: Iterable[Any]) -> Iterator[Output]:
    """The outputs, neighbouring texts of the same stream as one."""
    name, texts = "", list[str]()
    for value in values:
        made = output(value)
        if isinstance(made, Stream):
            if texts and made.name != name:
                yield Stream(name, "".join(texts))
                texts = []
            name = made.name
            texts.append(made.text)
            continue
        if texts:
            yield Stream(name, "".join(texts))
            texts = []
        yield made
    if texts:
        yield Stream(name, "".join(texts))


def _output(made: Output, page: Page) -> str:
    if isinstance(made, Stream):
        return _stream(made, page)
    if isinstance(made, Bundle):
        inside = bundle(made, page)
        prompt = f'<div class="prompt" aria-hidden="true">[{made.count}]</div>' if made.count else ""
        return f'<div class="out">{prompt}{inside}</div>' if inside else ""
    return _failure(made, page) if isinstance(made, Failure) else _of_unknown_kind(made, page)


def _stream(made: Stream, page: Page) -> str:
    if not made.text:
        return ""
    if made.name == "stderr":
        return f'<div class="out stderr" role="group" aria-label="Standard error">{printed(made.text, page)}</div>'
    return f'<div class="out">{printed(made.text, page)}</div>'


def _failure(made: Failure, page: Page) -> str:
    title = plain(f"{made.name}: {made.message}" if made.message else made.name) or "Error"
    label = escape.attribute(" ".join(title[:200].split()))
    traceback = printed(made.traceback if made.traceback.strip() else title, page, ' class="traceback"')
    return f'<div class="out error" role="group" aria-label="Error: {label}">{traceback}</div>'


def _of_unknown_kind(made: Unknown, page: Page) -> str:
    page.problem(f"an output of an unknown kind ({made.kind})")
    said = notice(f"An output of a kind that is not known here ({made.kind}).")
    return f'<div class="out">{said}{printed(made.text, page) if made.text else ""}</div>'
