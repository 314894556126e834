"""Recursive descent over the tokens of one formula, straight to MathML as text.

A row is a list of pieces of MathML; an atom is a kind (see `kinds`) and a piece. What a command does stands in tables
that the parser is given: `commands` by lexeme, `readers` by the command of a lexeme that holds its argument. The state
that TeX scopes by groups is four values here, saved and restored where a group begins and ends; an error ends the
whole formula, so nothing has to be restored then.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

from amalthea.model.errors import AmaltheaError
from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.math import alphabets, kinds
from amalthea.services.nbviewer.render.math.atoms import Atom, space, table
from amalthea.services.nbviewer.render.math.equations import Equations
from amalthea.services.nbviewer.render.math.tokens import END, tokens

_DEEPEST = 100
_STOPS = frozenset((END, "}", "&", "\\\\", "\\cr", "\\newline", "\\right", "\\middle", "\\end"))
_ENDS = frozenset(("\\end{", "\\end ", "\\end\n"))
_AFTER = frozenset(("^", "_", "'", "''", "'''", "''''", "\\limits", "\\nolimits"))
_JOINTS, _SPACE = kinds.JOINTS, kinds.SPACE
_LIMITED = (kinds.LARGE, kinds.INTEGRAL, kinds.LIMITED)
_PRIMES = {1: "′", 2: "″", 3: "‴", 4: "⁗"}


class CannotTypeset(AmaltheaError):
    """TeX that is wrong, or that is not known here."""


class Parser:
    """The state of reading one formula."""

    def __init__(
        self,
        tex: str,
        commands: Mapping[str, Callable[[Parser], Atom]],
        readers: Mapping[str, Callable[[Parser, str], Atom]],
        equations: Equations,
        *,
        display: bool,
    ) -> None:
        self.tokens = [*tokens(tex), END]  # so that two may be looked at ahead
        self.at = 0
        self.commands, self.readers, self.equations = commands, readers, equations
        self.display = display
        self.variant = ""
        self.tight = False
        self.atoms = table("", tight=False)
        self.depth = 0

    def row(self, previous: int = kinds.NONE) -> list[str]:
        """The pieces up to the next lexeme that ends a row, which is left there."""
        self.deeper()
        given, out = self.tokens, list[str]()
        while True:
            lexeme = given[self.at]
            atom = self.atoms.get(lexeme)
            if atom is not None:
                self.at += 1
            elif lexeme in _STOPS or lexeme[:5] in _ENDS:
                break
            else:
                atom = self._infix(lexeme, out) if lexeme in _INFIX else self.made(lexeme)
            if given[self.at] in _AFTER:
                atom = self._scripted(*atom)
            kind, piece = atom
            joint = _JOINTS[previous << 4 | kind]
            if joint:
                piece = _joined(joint, piece, out)
            out.append(piece)
            if kind != _SPACE:
                previous = kind
        self.depth -= 1
        return out

    def deeper(self) -> None:
        """Count one level of nesting; `depth` is counted down by who counted it up."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise CannotTypeset("nested too deeply")

    def made(self, lexeme: str) -> Atom:
        """The atom that starts with a lexeme that is not in the tables of atoms."""
        command = self.commands.get(lexeme)
        if command is not None:
            self.at += 1
            return command(self)
        if lexeme == "{":
            return kinds.ORDINARY, self.group()
        if lexeme in _AFTER:
            return kinds.ORDINARY, "<mrow></mrow>"  # scripts of nothing
        if lexeme in _STOPS or lexeme[:5] in _ENDS:
            raise CannotTypeset("something is missing")
        self.at += 1
        if lexeme[0] != "\\":
            return self._characters(lexeme)
        name, brace, argument = lexeme.partition("{")
        reader = self.readers.get(name.rstrip()) if brace else None
        if reader is None:
            raise CannotTypeset(f"{lexeme} is not known")
        return reader(self, argument[:-1])

    def group(self) -> str:
        """A group in braces as one element; one operator alone has no space around it, as in TeX."""
        tight = self.atoms
        if self.tokens[self.at + 2] == "}":
            self.atoms = table(self.variant, tight=True)
        saved = self.display, self.variant
        self.at += 1
        items = self.row()
        self.expect("}")
        self.display, self.variant = saved
        self.atoms = tight
        return one(items)

    def expect(self, lexeme: str) -> None:
        """Step over a lexeme that must be there."""
        if self.tokens[self.at] != lexeme:
            raise CannotTypeset(f"{lexeme} is missing")
        self.at += 1

    def atom(self) -> Atom:
        """An argument as an atom: a group, a command with its arguments, or a single character."""
        lexeme = self.tokens[self.at]
        known = self.atoms.get(lexeme)
        if known is not None:
            self.at += 1
            return known
        self.deeper()
        if lexeme[:1].isdigit() and len(lexeme) > 1:
            self.tokens[self.at] = lexeme[1:]
            made = self.atoms[lexeme[0]]
        elif lexeme == "{" and self.tokens[self.at + 2] == "}":
            self.at += 1
            lexeme = self.tokens[self.at]
            made = self._lone()
            self.expect("}")
        else:
            made = self.made(lexeme)
        self.depth -= 1
        return made

    def _lone(self) -> Atom:
        """The single lexeme of a group, which is the whole of it."""
        lexeme = self.tokens[self.at]
        known = self.atoms.get(lexeme)
        if known is None:
            return self.made(lexeme)
        self.at += 1
        return known

    def argument(self) -> str:
        """An argument as one element."""
        return self.atom()[1]

    def inner(self, *, display: bool = False, script: bool = False) -> str:
        """An argument in a style of its own: that of a fraction's parts, or of a script."""
        saved = self.display, self.tight, self.atoms
        self.display = display
        if script and not self.tight:
            self.tight, self.atoms = True, table(self.variant, tight=True)
        made = self.argument()
        self.display, self.tight, self.atoms = saved
        return made

    def rest(self) -> str:
        """What is left of the row, as one element."""
        return one(self.row(kinds.CELL))

    def optional(self) -> str | None:
        """An argument in square brackets as one element."""
        end = self.closing_bracket()
        if end is None:
            return None
        self.at += 1
        self.tokens[end] = "}"
        items = self.row()
        self.expect("}")
        return one(items)

    def again(self, tex: str, *, variant: str = "") -> str:
        """Other TeX as one element: a formula inside a text."""
        inside = Parser(tex, self.commands, self.readers, self.equations, display=False)
        inside.depth = self.depth
        inside.use(variant)
        items = inside.row()
        inside.expect(END)
        return one(items)

    def raw_optional(self) -> str:
        """The text of an argument in square brackets."""
        end = self.closing_bracket()
        if end is None:
            return ""
        text = "".join(self.tokens[self.at + 1 : end])
        self.at = end + 1
        return text

    def raw(self) -> str:
        """The text of an argument that is not math."""
        if self.tokens[self.at] != "{":
            return self.step()
        end = self._closing("}", "{")
        if end is None:
            raise CannotTypeset("a brace is missing")
        text = "".join(self.tokens[self.at + 1 : end])
        self.at = end + 1
        return text

    def step(self) -> str:
        """The next lexeme."""
        lexeme = self.tokens[self.at]
        if lexeme == END:
            raise CannotTypeset("something is missing")
        self.at += 1
        return lexeme

    def closing_bracket(self) -> int | None:
        """Where the argument in square brackets that starts here ends."""
        return self._closing("]", "[") if self.tokens[self.at] == "[" else None

    def _closing(self, closer: str, opener: str) -> int | None:
        depth = 0
        for place in range(self.at, len(self.tokens)):
            lexeme = self.tokens[place]
            if lexeme == closer and depth == (closer == "}"):
                return place
            if lexeme == "{":
                depth += 1
            elif lexeme == "}":
                depth -= 1
                if depth < 0:
                    return None
        return None

    def use(self, variant: str) -> None:
        """Go on in another alphabet."""
        self.variant = variant
        self.atoms = table(variant, tight=self.tight)

    def _characters(self, lexeme: str) -> Atom:
        """A number of several digits, or a character that is in no table."""
        first = lexeme[0]
        if first.isdigit() or (first == "." and len(lexeme) > 1):
            lexeme = lexeme.replace("{,}", ",")
            return kinds.ORDINARY, f"<mn>{alphabets.translate(lexeme, self.variant)}</mn>"
        if len(lexeme) > 1:
            return kinds.ORDINARY, f"<mtext>{lexeme}</mtext>"
        return _character(first)

    def _infix(self, lexeme: str, out: list[str]) -> Atom:
        r"""`a \over b`: what stands before it in the row is the first part, the rest is the second."""
        left, thickness, right = _INFIX[lexeme]
        above = one(out)
        out.clear()
        self.at += 1
        saved, self.display = self.display, False
        below = one(self.row())
        self.display = saved
        made = f"<mfrac{thickness}>{above}{below}</mfrac>"
        return kinds.ORDINARY, f"<mrow><mo>{left}</mo>{made}<mo>{right}</mo></mrow>" if left else made

    def _scripted(self, kind: int, base: str) -> Atom:
        """The atom with the scripts that follow it."""
        limits, scripts = self._scripts()
        primes, below, above = scripts["'"], scripts["_"], scripts["^"]
        if primes and kind in _LIMITED:
            above = f"<mrow>{primes}{above}</mrow>" if above else primes
        elif primes:  # these signs are small and high already
            base = f"<mrow>{base}{primes}</mrow>"
        if kind == kinds.SPACE:
            kind, base = kinds.ORDINARY, base or "<mrow></mrow>"
        if kind == kinds.BRACED:
            return kinds.ORDINARY, put("under", "over", base, below, above)
        if limits == "\\limits" or (not limits and self.display and kind in (kinds.LARGE, kinds.LIMITED)):
            return kind, put("under", "over", base if self.display else still(base), below, above)
        return kind, put("sub", "sup", base, below, above)

    def _scripts(self) -> tuple[str, dict[str, str]]:
        """What is said of limits, and the scripts by their sign."""
        limits, scripts = "", {"_": "", "^": "", "'": ""}
        while (lexeme := self.tokens[self.at]) in _AFTER:
            self.at += 1
            if lexeme[0] == "\\":
                limits = lexeme
                continue
            if scripts[lexeme[0]]:
                raise CannotTypeset("two scripts in one place")
            prime = f'<mo lspace="0" rspace="0">{_PRIMES[len(lexeme)]}</mo>' if lexeme[0] == "'" else ""
            scripts[lexeme[0]] = prime or self.inner(script=True)
        return limits, scripts


def put(low: str, high: str, base: str, below: str, above: str) -> str:
    """An element with scripts of one of the two sorts, whichever are there."""
    if below and above:
        return f"<m{low}{high}>{base}{below}{above}</m{low}{high}>"
    if below:
        return f"<m{low}>{base}{below}</m{low}>"
    return f"<m{high}>{base}{above}</m{high}>" if above else base


def one(items: list[str]) -> str:
    """The pieces as one element."""
    if len(items) == 1 and items[0]:
        return items[0]
    return f"<mrow>{''.join(items)}</mrow>"


def still(piece: str) -> str:
    """A piece whose operator neither stretches nor moves its limits."""
    return piece.replace("<mo>", '<mo stretchy="false" movablelimits="false">', 1)


def _joined(joint: int, piece: str, out: list[str]) -> str:
    """The piece as it has to be beside the last one of `out`."""
    if joint == kinds.THIN:
        out.append(_THIN)
    elif joint == kinds.PREFIX:
        return piece.replace("<mo>", '<mo form="prefix">', 1)
    elif joint == kinds.INFIX:
        return piece if out else piece.replace("<mo>", '<mo form="infix">', 1)
    elif joint == kinds.CLOSE_UP:
        return piece.replace("<mo>", '<mo lspace="0" rspace="0">', 1)
    elif joint == kinds.JOIN and piece[:3] == out[-1][:3] == "<mo" and 'space="0"' not in out[-1]:
        return f"<mo>{_sign(out.pop())}{_sign(piece)}</mo>" if piece[3] in " >" and out[-1][3] in " >" else piece
    return piece


def _sign(piece: str) -> str:
    return piece[piece.index(">") + 1 : -5]


def _character(sign: str) -> Atom:
    category = unicodedata.category(sign)
    if category[0] == "L":
        return kinds.ORDINARY, f"<mi>{sign}</mi>"
    if category[0] == "N":
        return kinds.ORDINARY, f"<mn>{sign}</mn>"
    if category == "Sm":
        return kinds.RELATION, f"<mo>{sign}</mo>"
    return kinds.ORDINARY, f"<mtext>{escape.text(sign)}</mtext>"


_THIN = space(0.1667)
_INFIX = {
    "\\over": ("", "", ""),
    "\\atop": ("", ' linethickness="0"', ""),
    "\\choose": ("(", ' linethickness="0"', ")"),
    "\\brace": ("{", ' linethickness="0"', "}"),
    "\\brack": ("[", ' linethickness="0"', "]"),
}
