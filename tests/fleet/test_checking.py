from __future__ import annotations

import pytest

from tests.fleet.imagined import SMALL
from tests.fleet.test_loading import problem, problems


def reader(text: str) -> str:
    return SMALL.replace("[services.reader]", f"[services.reader]\n{text}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hosts = 5", "hosts: found 5, allowed: a list of text in quotes"),
        ("hosts = ['a', 5]", "hosts[1]: found 5, allowed: text in quotes"),
        ("cache = '1 parsec'", 'cache: found "1 parsec", allowed: a number and a unit (B, KiB'),
        ("timeout = 5", "timeout: found 5, allowed: a number and a unit (ms, s, min, h, d)"),
        ("ratio = 0", "ratio: found 0, allowed: a number from above 0 to below 1"),
        ("ratio = true", "ratio: found true, allowed: a number from"),
        ("colour = 'blue'", 'colour: found "blue", allowed: "red" or "green"'),
        ("mode = 'medium'", 'mode: found "medium", allowed: "fast" or "slow" or a whole number'),
        ("mode = 1.5", 'mode: found 1.5, allowed: "fast" or "slow" or'),
        ("since = '2026-01-02'", 'since: found "2026-01-02", allowed: a date without quotes'),
        ("since = 2026-01-02T03:04:05", "since: found 2026-01-02T03:04:05, allowed: a date without quotes"),
        ("headers = { a = 5 }", "headers.a: found 5, allowed: text in quotes"),
        ("headers = ['a']", "headers: found a list, allowed: a table of text in quotes"),
        ("mirrors = [{}]", "mirrors[0].host: found nothing, allowed: text in quotes"),
        ("mirrors = [{ host = 'a', wieght = 2 }]", "mirrors[0].wieght: found an unknown key, allowed: host, weight"),
        ("mirrors = [{ host = 'a', weight = -1 }]", "mirrors[0].weight: found -1, allowed: a whole number of at least"),
        ("replicas = true", "replicas: found true, allowed: a whole number from 1 to 1000"),
        ("replicas = 2.0", "replicas: found 2.0, allowed: a whole number from 1 to 1000"),
        ("'a b' = 1", "'a b': found an unknown key"),
    ],
)
def test_a_mistake_says_what_was_found_and_what_is_allowed(text: str, expected: str) -> None:
    assert f"fleet.toml:17: services.reader.{expected}" in problem(reader(text))


def test_a_pattern_is_held_to_the_end() -> None:
    text = SMALL.replace("[services.board]", '[services.board]\nticket = "ABC\\n"')
    assert 'ticket: found "ABC\\n", allowed: text in quotes, such as "ABC"' in problem(text)


def test_a_list_or_a_word_has_the_mistakes_of_its_items() -> None:
    assert "edge.on[0]: found 5, allowed: text in quotes" in problems(SMALL.replace('on = "here"', "on = [5]"))[0]
    assert 'edge.on: found "everywhere", allowed: "here" or a list of' in problem(
        SMALL.replace('on = "here"', 'on = "everywhere"')
    )


def test_hostile_text_is_shown_without_control_characters() -> None:
    line = problem(reader('colour = "\\u001b[31m\\u202e"'))
    assert line.isprintable()


def test_long_text_is_shown_in_part() -> None:
    assert len(problem(reader(f"colour = '{'x' * 5000}'"))) < 300
