from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.tmpnb.egress.records import Verdict
from amalthea.services.tmpnb.egress.refusing import Refused
from amalthea.services.tmpnb.egress.request import Request, read_request


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def refusal(data: bytes) -> Verdict:
    with pytest.raises(Refused) as caught:
        read_request(data)
    return caught.value.verdict


@pytest.mark.parametrize(
    ("line", "host", "port"),
    [
        ("CONNECT pypi.example:443 HTTP/1.1", "pypi.example", 443),
        ("CONNECT PyPI.Example.:443 HTTP/1.0", "pypi.example", 443),
        ("CONNECT 10.4.7.2:8443 HTTP/1.0", "10.4.7.2", 8443),
        ("CONNECT [FD00:0::5]:443 HTTP/1.0", "fd00::5", 443),
    ],
)
def test_a_tunnel_is_asked_for_by_host_and_port(line: str, host: str, port: int) -> None:
    host_header = f"Host: {line.split()[1]}"
    assert read_request(head(line, host_header)) == Request(method="CONNECT", host=host, port=port, fields=[])


@pytest.mark.parametrize(
    ("target", "host", "port", "path"),
    [
        ("http://a.example", "a.example", 80, "/"),
        ("HTTP://A.example:80/x/../y?q=http://b@c:1/", "a.example", 80, "/x/../y?q=http://b@c:1/"),
        ("http://a.example:8080?x", "a.example", 8080, "/?x"),
        ("http://[fd00::5]:8080/", "fd00::5", 8080, "/"),
    ],
)
def test_a_plain_request_is_asked_for_by_a_whole_url(target: str, host: str, port: int, path: str) -> None:
    request = read_request(head(f"GET {target} HTTP/1.0"))
    assert (request.host, request.port, request.path) == (host, port, path)


def test_what_is_sent_on_is_written_anew_and_holds_nothing_meant_for_the_proxy() -> None:
    request = read_request(
        head(
            "GET http://a.example:8080/x?y HTTP/1.1",
            "Host:  a.example:8080 ",
            "Accept: */*",
            "Proxy-Authorization: Basic c2VjcmV0",
            "Proxy-Connection: keep-alive",
            "Connection: X-Hop, keep-alive, Upgrade",
            "X-Hop: 1",
            "Upgrade: websocket",
            "TE: trailers",
            "Expect: 100-continue",
            "Content-Length: 0",
            "Via: 1.0 somebody",
            "X-Name: \xe9",
        )
    )
    assert request.forwarded() == head(
        "GET /x?y HTTP/1.1",
        "Host: a.example:8080",
        "Accept: */*",
        "X-Name: \xe9",
        "Via: 1.1 amalthea",
        "Connection: close",
    )


GOOD = "GET http://a.example/ HTTP/1.1"


@pytest.mark.parametrize(
    "data",
    [
        head(GOOD),
        head(GOOD, "Host: a.example", "Host: a.example"),
        head(GOOD, "Host: a.example", "host: b.example"),
        head(GOOD, "Host: b.example"),
        head(GOOD, "Host: a.example:8080"),
        head(GOOD, "Host: a.example@b.example"),
        head("CONNECT a.example:443 HTTP/1.1", "Host: b.example:443"),
        head("CONNECT a.example:443 HTTP/1.1", "Host: a.example:80"),
        head("CONNECT a.example HTTP/1.1", "Host: a.example"),
        head("CONNECT a.example:0 HTTP/1.0"),
        head("CONNECT a.example:65536 HTTP/1.0"),
        head("CONNECT a.example:443\r\nX: y HTTP/1.0"),
        head("CONNECT http://a.example:443 HTTP/1.0"),
        head("CONNECT a..example:443 HTTP/1.0"),
        head("CONNECT ä.example:443 HTTP/1.0"),
        head("CONNECT a%2eexample:443 HTTP/1.0"),
        head("CONNECT a.example\0.b.example:443 HTTP/1.0"),
        head(f"CONNECT {'a.' * 130}example:443 HTTP/1.0"),
        head(f"CONNECT {'a' * 64}.example:443 HTTP/1.0"),
        head("CONNECT [::1%25lo]:443 HTTP/1.0"),
        head("CONNECT [1.2.3.4]:443 HTTP/1.0"),
        head("GET / HTTP/1.1", "Host: a.example"),
        head("GET https://a.example/ HTTP/1.0"),
        head("GET ftp://a.example/ HTTP/1.0"),
        head("GET http:///x HTTP/1.0"),
        head("GET http://a.example@b.example/ HTTP/1.0"),
        head("GET http://a.example:80@b.example/ HTTP/1.0"),
        head("GET http://a.example\\@b.example/ HTTP/1.0"),
        head("GET http://a.example/#x HTTP/1.0"),
        head("GET http://a.example#@b.example/ HTTP/1.0"),
        head("GET http://a.example/a b HTTP/1.0"),
        head("GET http://a.example/\r\nHost: b.example HTTP/1.0"),
        head("GET http://a.example/\rx HTTP/1.0"),
        head("GET http://a.example/\tx HTTP/1.0"),
        head("GET  http://a.example/ HTTP/1.0"),
        head(" GET http://a.example/ HTTP/1.0"),
        head("GET http://a.example/ HTTP/2.0"),
        head("GET http://a.example/ HTTP/1.10"),
        head("GET http://a.example/"),
        head(GOOD, "Host: a.example", " folded: x"),
        head(GOOD, "Host: a.example", "X : y"),
        head(GOOD, "Host : a.example"),
        head(GOOD, "Host: a.example", "X: a\rb"),
        head(GOOD, "Host: a.example", "X: a\nb"),
        head(GOOD, "Host: a.example", "X: a\0b"),
        head(GOOD, "Host: a.example", "nothing"),
        head(GOOD, "Host: a.example", ": empty"),
        head(GOOD, "Host: a.example", "Transfer-Encoding: chunked"),
        head(GOOD, "Host: a.example", "transfer-encoding: identity"),
        head(GOOD, "Host: a.example", "Content-Length: 5"),
        head(GOOD, "Host: a.example", "Content-Length: 0", "Content-Length: 9"),
        head(GOOD, "Host: a.example", "Content-Length: 0, 9"),
        head(GOOD, "Host: a.example", "Content-Length: +0"),
        head(GOOD, "Host: a.example", *["X: y"] * 100),
        b"GET http://a.example/ HTTP/1.0\n\n",
        b"GET http://a.example/ HTTP/1.0\r\n\n",
        b"GET http://a.example/ HTTP/1.0\nX: y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        b"\r\n\r\n",
        b"",
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    assert refusal(data) is Verdict.MALFORMED


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "Connect", "PRI"])
def test_other_methods_are_told_which_there_are(method: str) -> None:
    assert refusal(head(f"{method} http://a.example/ HTTP/1.0")) is Verdict.METHOD


def test_a_tunnel_to_the_port_of_plain_http_is_refused_since_nobody_could_see_what_host_it_asks_for() -> None:
    assert refusal(head("CONNECT a.example:80 HTTP/1.0")) is Verdict.METHOD


PARTS = st.sampled_from(
    ["GET", "CONNECT", "HEAD", " ", "http://", "a.example", ":443", ":80", "/", "?", "#", "@", "HTTP/1.1", "HTTP/1.0",
     "\r\n", "\n", "Host: a.example", "Host:", "[::1]", "\0", "\xff", "Content-Length: 0", "Connection: host", "."]
)  # fmt: skip


@settings(deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.lists(PARTS, max_size=20).map(lambda parts: "".join(parts).encode("latin-1")))
)
def test_any_bytes_are_refused_or_become_one_request_line_one_host_and_one_empty_line(data: bytes) -> None:
    try:
        request = read_request(data)
    except Refused:
        return
    if request.method == "CONNECT":
        assert not request.path
        return
    lines = request.forwarded().split(b"\r\n")
    assert lines[-2:] == [b"", b""]
    assert b"" not in lines[:-2]
    assert sum(line.lower().startswith(b"host:") for line in lines) == 1
    assert not any(b"\r" in line or b"\n" in line for line in lines)
