from __future__ import annotations

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse

from amalthea.web.hosts import Hosts, bare

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}(\.[a-z][a-z0-9]{0,5}){0,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("host", "answers"),
    [
        ("content.example.org", "content"),
        ("CONTENT.example.org:8000", "content"),
        ("content.example.org.", "content"),
        ("content.example.org.:443", "content"),
        ("nbviewer.example.org", "pages"),
        ("xcontent.example.org", "pages"),
        ("example.org", "pages"),
        ("127.0.0.1:8000", "pages"),
        ("[::1]:8000", "pages"),
        ("", "pages"),
    ],
)
async def test_the_host_header_decides_and_every_unknown_name_is_the_first_applications(
    host: str, answers: str
) -> None:
    hosts = Hosts(PlainTextResponse("pages"), {"content.example.org": PlainTextResponse("content")})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(hosts)) as client:
        answer = await client.get("http://service/", headers={"host": host})
    assert answer.text == answers


@given(name=NAMES, port=st.integers(0, 65535))
def test_neither_a_port_nor_a_dot_nor_large_letters_change_a_name(name: str, port: int) -> None:
    for written in (name, f"{name}:{port}", f"{name}.", f"{name.upper()}.:{port}", f"{name}:"):
        assert bare(written) == name


def test_an_address_in_brackets_keeps_them() -> None:
    assert bare("[::1]:80") == bare("[::1]") == "[::1]"
