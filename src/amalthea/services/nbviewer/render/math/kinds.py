"""What an atom of a formula is, which decides the space between it and its neighbours.

Browsers space operators by their own dictionary. What TeX does beyond that stands in `JOINTS`: a thin space between a
function's name and what it is of, no space around a sign that stands before something, none between two relations.
"""

from __future__ import annotations

NONE = 0  # the start of a row
ORDINARY = 1
FUNCTION = 2  # sin
LIMITED = 3  # lim: its scripts are limits
LARGE = 4  # a sum: limits, and the browser spaces it
INTEGRAL = 5
BINARY = 6
SIGN = 7  # + and -, binary or before something
RELATION = 8
OPENING = 9
CLOSING = 10
PUNCTUATION = 11
DOTS = 12
SPACE = 13  # no atom at all
BRACED = 14  # over or under a brace: scripts go over or under it too
CELL = 15  # the start of a cell that goes on from the cell before

LEAVE, THIN, PREFIX, JOIN, INFIX, CLOSE_UP = range(6)
_BEFORE_A_SIGN = (NONE, LARGE, INTEGRAL, BINARY, SIGN, RELATION, OPENING, PUNCTUATION)


def _joint(left: int, right: int) -> int:
    functions = (FUNCTION, LIMITED)
    if right == SIGN:
        if left == CELL:
            return INFIX
        return PREFIX if left in (*_BEFORE_A_SIGN, *functions) else LEAVE
    if right == BINARY and left in (NONE, OPENING, RELATION, BINARY, PUNCTUATION):
        return CLOSE_UP
    if right == RELATION and left == RELATION:
        return JOIN
    if left in functions and right in (ORDINARY, *functions, LARGE, INTEGRAL, DOTS, BRACED):
        return THIN
    if right in functions and left in (ORDINARY, CLOSING, BRACED, DOTS):
        return THIN
    if left == DOTS and right in (ORDINARY, OPENING, DOTS, BRACED, PUNCTUATION):
        return THIN
    return THIN if right == DOTS and left in (ORDINARY, CLOSING, BRACED) else LEAVE


JOINTS = tuple(_joint(pair >> 4, pair & 15) for pair in range(256))  # by left * 16 + right
