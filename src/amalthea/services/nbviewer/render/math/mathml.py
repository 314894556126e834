"""A formula's TeX into the MathML that browsers draw by themselves, without a script."""

from __future__ import annotations

from amalthea.services.nbviewer.render.math import chemistry, fences, structures, tables, words
from amalthea.services.nbviewer.render.math.equations import Equations
from amalthea.services.nbviewer.render.math.parser import CannotTypeset, Parser

_COMMANDS = structures.COMMANDS | fences.COMMANDS | words.COMMANDS | tables.COMMANDS
_READERS = words.READERS | tables.READERS | chemistry.READERS


def mathml(tex: str, *, display: bool, equations: Equations | None = None) -> str | None:
    """A `<math>` element, empty where nothing is to be seen, or None where the TeX is wrong or not known here.

    equations:  the numbers of the notebook that the formula stands in; its own without
    """
    equations = equations or Equations()
    count = equations.count
    try:
        inside = tables.whole(Parser(tex, _COMMANDS, _READERS, equations, display=display))
    except CannotTypeset:
        equations.give_back(count)
        return None
    if not inside:
        return ""
    return f'<math display="block">{inside}</math>' if display else f"<math>{inside}</math>"
