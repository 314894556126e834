"""Bold, script, blackboard and other alphabets, as the Unicode letters made for them.

Browsers ignore MathML's `mathvariant` for all but `normal`, so a bold x has to be written as the bold letter x.
"""

from __future__ import annotations

from functools import cache
from string import ascii_lowercase, ascii_uppercase, digits

_LETTERS = {  # where capitals and small letters start
    "bold": (0x1D400, 0x1D41A),
    "italic": (0x1D434, 0x1D44E),
    "bold-italic": (0x1D468, 0x1D482),
    "script": (0x1D49C, 0x1D4B6),
    "bold-script": (0x1D4D0, 0x1D4EA),
    "fraktur": (0x1D504, 0x1D51E),
    "double-struck": (0x1D538, 0x1D552),
    "bold-fraktur": (0x1D56C, 0x1D586),
    "sans-serif": (0x1D5A0, 0x1D5BA),
    "bold-sans-serif": (0x1D5D4, 0x1D5EE),
    "sans-serif-italic": (0x1D608, 0x1D622),
    "sans-serif-bold-italic": (0x1D63C, 0x1D656),
    "monospace": (0x1D670, 0x1D68A),
}
_DIGITS = {
    "bold": 0x1D7CE,
    "bold-italic": 0x1D7CE,
    "double-struck": 0x1D7D8,
    "sans-serif": 0x1D7E2,
    "bold-sans-serif": 0x1D7EC,
    "monospace": 0x1D7F6,
}
_GREEK = {  # where Alpha and alpha start, with the letters between as Unicode has them
    "bold": (0x1D6A8, 0x1D6C2),
    "italic": (0x1D6E2, 0x1D6FC),
    "bold-italic": (0x1D71C, 0x1D736),
}
_CAPITAL_GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡϴΣΤΥΦΧΨΩ∇"
_SMALL_GREEK = "αβγδεζηθικλμνξοπρςστυφχψω∂ϵϑϰϕϱϖ"
_ELSEWHERE = {  # letters that Unicode had before it had the alphabets
    "italic": {"h": "ℎ"},
    "script": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
    "fraktur": dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)),
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
}


@cache
def _table(variant: str) -> dict[int, str]:
    if variant not in _LETTERS:
        return {}
    capital, small = _LETTERS[variant]
    table = {ord(letter): chr(capital + n) for n, letter in enumerate(ascii_uppercase)}
    table |= {ord(letter): chr(small + n) for n, letter in enumerate(ascii_lowercase)}
    if variant in _DIGITS:
        table |= {ord(digit): chr(_DIGITS[variant] + n) for n, digit in enumerate(digits)}
    if variant in _GREEK:
        capital, small = _GREEK[variant]
        table |= {ord(letter): chr(capital + n) for n, letter in enumerate(_CAPITAL_GREEK)}
        table |= {ord(letter): chr(small + n) for n, letter in enumerate(_SMALL_GREEK)}
    return table | {ord(letter): other for letter, other in _ELSEWHERE.get(variant, {}).items()}


def translate(text: str, variant: str) -> str:
    """`text` in the alphabet that `mathvariant` names; as it is where there is no such alphabet."""
    return text.translate(_table(variant)) if variant in _LETTERS else text
