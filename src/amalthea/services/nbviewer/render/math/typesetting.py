"""Formulas as HTML: typeset once each, within a budget for the whole notebook, else shown as TeX.

What is not known here is left to a typesetter in the browser: the TeX stands in `<span class="tex">` until then, and
for good where there is none. What is over a limit stays TeX for everyone.
"""

from __future__ import annotations

from collections.abc import Sequence

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.limits import Limits
from amalthea.services.nbviewer.render.math.equations import Equations
from amalthea.services.nbviewer.render.math.formulas import Formula
from amalthea.services.nbviewer.render.math.macros import Macros
from amalthea.services.nbviewer.render.math.mathml import mathml


class Typesetter:
    """The typesetter of one notebook; equal formulas are made once."""

    def __init__(self, limits: Limits) -> None:
        self.left = limits.formulas
        self.longest = limits.formula
        self.room = limits.typeset
        self.exhausted = False
        self.waiting = False  # whether some formula is left to the browser
        self.equations = Equations()
        self._macros = Macros()
        self._made: dict[tuple[str, bool], str | None] = {}

    def html(self, formula: Formula) -> str:
        """The formula typeset; or its source, which the browser may typeset."""
        tex = self._macros.apply(formula.tex) if len(formula.tex) <= self.longest else None
        if tex is None or len(tex) > 2 * self.longest:
            return _source(formula)
        key = tex, formula.display
        made = self._made[key] if key in self._made else self._make(key)
        if made is None or len(made) > self.room:
            return _source(formula)
        self.room -= len(made)
        return made

    def all(self, formulas: Sequence[Formula]) -> list[str] | None:
        """Each formula typeset; None where any of them is not known here."""
        before, self.waiting = self.waiting, False
        made = [self.html(formula) for formula in formulas]
        known = not self.waiting
        self.waiting = before
        return made if known else None

    def _make(self, key: tuple[str, bool]) -> str | None:
        """The formula, kept for the next time unless it has a number; None where too much was typeset already."""
        tex, display = key
        if len(tex) > self.left:
            self.exhausted = True
            return None
        self.left -= len(tex)
        numbers = self.equations.used
        made = mathml(tex, display=display, equations=self.equations)
        if made is None:
            self.waiting = True
            made = _waiting(tex, display=display)
        elif display and made:
            made = f'<span class="formula">{made}</span>'
        if self.equations.used == numbers:
            self._made[key] = made
        return made


def _source(formula: Formula) -> str:
    return f'<code class="math">{escape.text(formula.source)}</code>'


def _waiting(tex: str, *, display: bool) -> str:
    mark, kind = ("$$", " data-display") if display else ("$", "")
    return f'<span class="tex"{kind}>{mark}{escape.text(tex)}{mark}</span>'
