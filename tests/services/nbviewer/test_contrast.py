"""Colours that text is set in can be read on what they stand on, in both themes: WCAG's AA."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

_PAIR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)")
_TEXT = ("ink", "quiet", "accent", "good", "bad", "odd")


def tokens(theme: int) -> dict[str, str]:
    shared = files("amalthea.web").joinpath("static/amalthea.css").read_text()
    own = files("amalthea.services.nbviewer").joinpath("static/notebook.css").read_text()
    return {name: (light, dark)[theme] for name, light, dark in _PAIR.findall(shared + own)}


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(theme: int) -> None:
    found = tokens(theme)
    code = {name for name in found if re.fullmatch(r"[a-z]|a\d+", name)}
    assert len(code) >= 27
    pairs = [(name, ground) for name in _TEXT for ground in ("ground", "raised", "code")]
    pairs += [(name, ground) for name in code for ground in ("ground", "code")]
    pairs.append(("accent-ink", "accent"))
    poor = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in pairs}
    assert not {pair: round(ratio, 2) for pair, ratio in poor.items() if ratio < 4.5}


def test_the_measure_is_wcags() -> None:
    assert contrast("#000000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)
