"""Formulas as HTML: typeset once each, within a budget for the whole notebook, else shown as TeX."""

from __future__ import annotations

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.formulas import Formula
from amalthea.services.nbviewer.render.limits import Limits
from amalthea.services.nbviewer.render.macros import Macros
from amalthea.services.nbviewer.render.mathml import mathml


class Typesetter:
    """The typesetter of one notebook; equal formulas are made once."""

    def __init__(self, limits: Limits) -> None:
        self.left = limits.formulas
        self.longest = limits.formula
        self.room = limits.typeset
        self.exhausted = False
        self._macros = Macros()
        self._made: dict[tuple[str, bool], str] = {}

    def html(self, formula: Formula) -> str:
        """The formula typeset, or its source where it cannot be."""
        made = self.typeset(formula)
        if made is None or len(made) > self.room:
            return f'<code class="math">{escape.text(formula.source)}</code>'
        self.room -= len(made)
        return f'<span class="formula">{made}</span>' if formula.display else made

    def typeset(self, formula: Formula) -> str | None:
        """The formula as MathML, empty where it only defines commands, or None."""
        if len(formula.tex) > self.longest:
            return None
        tex = self._macros.apply(formula.tex)
        if tex is None:
            return None
        if not tex.strip():
            return ""
        key = tex, formula.display
        if key not in self._made:
            self._made[key] = self._make(tex, display=formula.display) or ""
        return self._made[key] or None

    def _make(self, tex: str, *, display: bool) -> str | None:
        if len(tex) > self.left:
            self.exhausted = True
            return None
        self.left -= len(tex)
        return mathml(tex, display=display)
