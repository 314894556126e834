"""The wall around one cell or output: whatever goes wrong inside costs that cell alone, never the page.

Notebooks are strangers' files and the libraries below are large, so there will be a case that nobody thought of. It
becomes a notice in its place and a line among the problems. A panic of a library written in Rust is caught too; it
does not derive from `Exception`.
"""

from __future__ import annotations

from collections.abc import Callable

from amalthea.services.nbviewer.render.notices import notice
from amalthea.services.nbviewer.render.page import Page


def guarded(make: Callable[[], str], what: str, page: Page) -> str:
    """What `make` returns, or a notice."""
    try:
        return make()
    except Exception as error:
        return _failed(what, error, page)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return _failed(what, error, page)


def _failed(what: str, error: BaseException, page: Page) -> str:
    reason = " ".join(str(error).split())[:200] if isinstance(error, ValueError) else type(error).__name__
    page.problem(f"{what} could not be shown: {reason}")
    return notice(f"This part ({what}) could not be shown: {reason}.")
