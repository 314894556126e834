from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.nbviewer.render.terminal import plain, terminal

E = "\x1b["


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("plain <b>", "plain &lt;b&gt;"),
        ("a\r\nb", "a\nb"),
        (" 10%\r 50%\r100%", "100%"),
        ("long line\rshort", "shortline"),
        ("abc\b\bX", "aXc"),
        (f"one\ntwo{E}1A\r{E}2Knew", "new\ntwo"),
        (f"abcdef\r{E}3C{E}K", "abc"),
        (f"{E}31mred{E}0m plain", '<span class="a-f1">red</span> plain'),
        (f"{E}1;91;44mx{E}22;39;49my", '<span class="a-bold a-f9 a-b4">x</span>y'),
        (f"{E}38;5;9mx", '<span class="a-f9">x</span>'),
        (f"{E}38;5;196mx", '<span style="color:#ff0000">x</span>'),
        (f"{E}48;5;244mx", '<span style="background-color:#808080">x</span>'),
        (f"{E}38;2;1;2;300mx", '<span style="color:#0102ff">x</span>'),
        (f"{E}31;7mx", '<span class="a-b1">x</span>'),
        (f"{E}7mx", '<span class="a-inverse">x</span>'),
        (f"{E}32ma\rb", '<span class="a-f2">b</span>'),
        (f"{E}38;5mx{E}38mx{E}999999mx{E}mx", "xxxx"),
        ("\x1b]0;title\x07x\x1b]8;;http://a\x1b\\y\x1b]8;;\x1b\\", "xy"),
        (f"a{E}?25lb{E}5", "ab5"),
        ("bell\x07 \x00null", "bell null"),
    ],
)
def test_text_looks_as_the_terminal_left_it(printed: str, shown: str) -> None:
    assert terminal(printed) == shown


@given(
    st.lists(
        st.sampled_from(["\x1b", "[", "3", "1", ";", "m", "A", "K", "J", "\r", "\b", "\n", "x", "<", "]", "\x07"])
    ).map("".join)
)
def test_whatever_is_printed_only_spans_come_out(printed: str) -> None:
    rest = re.sub(r'<span(?: class="[a-z0-9 \-]+")?(?: style="[a-z0-9:;#\-]+")?>|</span>', "", terminal(printed))
    assert "<" not in rest
    assert "\x1b" not in rest


def test_escape_sequences_can_be_taken_away() -> None:
    assert plain(f"{E}31mKeyError{E}0m: 'a'\n") == "KeyError: 'a'\n"


@pytest.mark.parametrize(
    "printed",
    ["a\r" * 200_000, f"{E}999C\n" * 50_000, f"{E}9999Cx\n" * 50_000, f"x\r{E}9999Bx" * 20_000, f"{E}A\n" * 100_000,
     "\x1b]" * 100_000, "x" * 500_000 + "\r" + "y\r" * 200_000, f"{E}[" * 100_000],
)  # fmt: skip
def test_a_moving_cursor_fills_no_memory(printed: str) -> None:
    started = time.process_time()
    assert len(terminal(printed)) < 3_000_000
    assert time.process_time() - started < 3
