r"""TeX cut into tokens, with one compiled expression in one pass.

What takes something other than math in braces (`\text{if }`, `\color{red}`, `\begin{align}`, `\hspace{1em}`) is one
token together with its argument, so that blanks can be dropped everywhere else. The expression never looks at a
character more than a few times: arguments nest four deep at most, and each level is possessive.
"""

from __future__ import annotations

import re

_WORDS = (
    r"begin|end|text(?:rm|bf|it|sf|tt|up|md|sl|normal|color)?|mbox|hbox|fbox|emph|color|colorbox|hspace\*?|vspace\*?"
    r"|hskip|kern|mkern|mskip|label|tag\*?|ref|eqref|unicode|require|ce|pu|href|class|cssId|style|operatorname\*?"
)
_INSIDE = r"(?:[^{}\\]|\\.)*+"
for _ in range(3):
    _INSIDE = rf"(?:[^{{}}\\]|\\.|\{{{_INSIDE}\}})*+"
_TOKEN = re.compile(
    rf"\\(?:{_WORDS})\s*\{{{_INSIDE}\}}"
    r"|\\(?:[a-zA-Z]+|.)"
    r"|\d+(?:\{,\}\d{3})*(?:\.\d+)?|\.\d+"
    r"|&(?:lt|gt|amp);"
    r"|'+"
    r"|[\u1100-\u1fff\u2e80-\ud7ff\uf900-\ufaff]{2,}"
    r"|[^\s\\]",
    re.DOTALL,
)
_COMMENT = re.compile(r"(\\.)|%[^\n]*", re.DOTALL)
_UNFIT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # for XML and for pages

END = ""  # stands behind the last token


def tokens(tex: str) -> list[str]:
    """The tokens of a formula, and `END` behind them."""
    if "%" in tex:
        tex = _COMMENT.sub(lambda found: found[1] or "", tex)
    found = _TOKEN.findall(_UNFIT.sub("\N{REPLACEMENT CHARACTER}", tex))
    found.append(END)
    return found
