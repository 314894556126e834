from __future__ import annotations

import ssl
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.tmpnb.egress.hello import LONGEST, Hello, Unread, read_hello

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z][a-z0-9]{0,20}){1,3}", fullmatch=True)


def spoken(name: str | None) -> bytes:
    """What OpenSSL says first, when it asks for a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = name is not None
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def record(body: bytes) -> bytes:
    return b"\x16\x03\x01" + len(body).to_bytes(2, "big") + body


def vector(width: int, body: bytes) -> bytes:
    return len(body).to_bytes(width, "big") + body


def extension(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, body)


def name_list(*names: bytes, kind: int = 0) -> bytes:
    return vector(2, b"".join(bytes([kind]) + vector(2, name) for name in names))


def hello(*extensions: bytes, after: bytes = b"") -> bytes:
    """A hello written by hand, in one record."""
    body = b"\x03\x03" + bytes(32) + vector(1, b"") + vector(2, b"\x13\x01") + vector(1, b"\0")
    body += (vector(2, b"".join(extensions)) if extensions else b"") + after
    return record(b"\x01" + vector(3, body))


@settings(deadline=None)
@given(NAMES)
def test_the_name_that_openssl_asks_for_is_found(name: str) -> None:
    assert read_hello(spoken(name)) == Hello(name, hidden=False)


def test_a_hello_for_no_name_has_none() -> None:
    assert read_hello(spoken(None)) == Hello("", hidden=False)
    assert read_hello(hello()) == Hello("", hidden=False)


def test_a_name_is_compared_in_lower_case() -> None:
    assert read_hello(hello(extension(0, name_list(b"CDN.Example")))) == Hello("cdn.example", hidden=False)


@settings(deadline=None)
@given(NAMES, st.data())
def test_a_hello_in_any_pieces_is_read_when_the_last_one_is_there(name: str, data: st.DataObject) -> None:
    message = spoken(name)[5:]
    cuts = data.draw(st.lists(st.integers(1, len(message) - 1), unique=True, max_size=20).map(sorted))
    edges = [0, *cuts, len(message)]
    whole = b"".join(record(message[start:end]) for start, end in pairwise(edges))
    assert read_hello(whole) == read_hello(whole + b"and more") == Hello(name, hidden=False)
    short = data.draw(st.integers(0, len(whole) - 1))
    assert read_hello(whole[:short]) is Unread.INCOMPLETE


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_either_incomplete_or_something_else(data: bytes) -> None:
    assert isinstance(read_hello(data), Unread | Hello)


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_in_the_place_of_a_hello_raise_nothing(body: bytes, extensions: bytes) -> None:
    assert isinstance(read_hello(record(b"\x01" + vector(3, body))), Unread | Hello)
    assert isinstance(read_hello(hello(after=vector(2, extensions))), Unread | Hello)
    assert isinstance(read_hello(hello(extension(0, body), extensions)), Unread | Hello)


@settings(deadline=None)
@given(NAMES, st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=5))
def test_a_damaged_hello_raises_nothing(name: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(spoken(name))
    for at, value in changes:
        data[at % len(data)] = value
    assert isinstance(read_hello(bytes(data)), Unread | Hello)


@pytest.mark.parametrize(
    "names",
    [
        name_list(b"cdn.example", b"other.example"),
        name_list(),
        name_list(b""),
        name_list(b"cdn.example", kind=1),
        name_list("cdn.exämple".encode()),
        name_list(b"cdn.example") + b"x",
        b"",
    ],
)
def test_a_hello_whose_name_could_be_read_in_two_ways_is_none(names: bytes) -> None:
    assert read_hello(hello(extension(0, names))) is Unread.FOREIGN


def test_two_lists_of_names_are_as_bad_as_two_names() -> None:
    names = extension(0, name_list(b"cdn.example"))
    assert read_hello(hello(names, names)) is Unread.FOREIGN


def test_bytes_after_the_extensions_make_it_none() -> None:
    assert read_hello(hello(extension(0, name_list(b"cdn.example")), after=b"x")) is Unread.FOREIGN


@pytest.mark.parametrize("kind", [0xFE0D, 0xFFCE])
def test_an_encrypted_name_is_noticed(kind: int) -> None:
    hiding = hello(extension(0, name_list(b"cdn.example")), extension(kind, b"secret"))
    assert read_hello(hiding) == Hello("cdn.example", hidden=True)


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n", b"SSH-2.0-x\r\n", b"\x80\x2e\x01\x03\x01", b"\x17\x03\x03\0\x05hello", b"\x16\x03\x01\0\0",
     record(b"\x02\0\0\0"), b"\x16\x03\x01\xff\xff", b"\x16\x02\0\0\x05", record(b"\x01\xff\xff\xff")],
)  # fmt: skip
def test_what_is_no_hello_is_known_by_its_first_bytes(data: bytes) -> None:
    assert read_hello(data) is Unread.FOREIGN


def test_a_hello_that_never_ends_is_given_up() -> None:
    assert read_hello(record(b"\x01\0\x20\0" + bytes(10)) + record(b"x") * 70) is Unread.FOREIGN
    assert read_hello(record(b"\x01" + (LONGEST + 1).to_bytes(3, "big"))) is Unread.FOREIGN
