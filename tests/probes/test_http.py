from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from amalthea.model.probe import Observation, Probe, Watch
from amalthea.model.units import Duration
from amalthea.probes.http import BODY_LIMIT, HttpProber, ready
from tests.probes.wire_server import Answer, break_off, drip, flood, hang, noise, serving, whole

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)


@pytest.fixture
async def prober() -> AsyncIterator[HttpProber]:
    async with HttpProber(clock=lambda: NOON) as prober:
        yield prober


def watch(port: int, probe: Probe, **headers: str) -> Watch:
    return Watch(service="nbviewer", site="north", probe=probe, url=f"http://127.0.0.1:{port}/", headers=headers)


async def asked(prober: HttpProber, answer: Answer, **probe: object) -> Observation:
    async with serving(answer) as port:
        question = Probe(name="front page", timeout=Duration(0.3), **probe)  # type: ignore[arg-type]
        return await prober.ask(watch(port, question))


async def test_the_right_answer_is_fine_and_carries_the_time_of_asking(prober: HttpProber) -> None:
    seen = await asked(prober, whole(b"welcome to nbviewer"), contains="nbviewer")
    assert (seen.ok, seen.detail, seen.at) == (True, "", NOON)
    assert 0 < seen.seconds < 0.3


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (whole(b"oops", status="500 Internal Server Error"), "answered 500 instead of 200"),
        (whole(status="302 Found", headers="location: /\r\n"), "answered 302 instead of 200"),
        (whole(b"an empty page"), "the page does not hold what it should"),
        (whole(b"welcome", headers="x-amalthea-site: south\r\n"), "answered by south"),
        (whole(b"welcome", headers="x-amalthea-site: <b>10.0.0.7</b>\r\n"), "answered by another site"),
        (hang, "no answer within 300 ms"),
        (drip, "no answer within 300 ms"),
        (break_off, "the connection broke off"),
        (noise, "the connection broke off"),
    ],
)
async def test_what_was_wrong_is_said_in_public_words(prober: HttpProber, answer: Answer, detail: str) -> None:
    seen = await asked(prober, answer, contains="welcome")
    assert (seen.ok, seen.detail) == (False, detail)


async def test_a_port_without_a_listener_refuses(prober: HttpProber) -> None:
    async with serving(hang) as port:
        pass
    seen = await prober.ask(watch(port, Probe(name="front page")))
    assert (seen.ok, seen.detail) == (False, "refused the connection")


async def test_a_redirect_is_fine_where_the_probe_expects_one(prober: HttpProber) -> None:
    answer = whole(status="307 Temporary Redirect", headers="location: http://127.0.0.1:1/\r\n")
    assert (await asked(prober, answer, status=307)).ok


async def test_the_watched_site_may_name_itself(prober: HttpProber) -> None:
    assert (await asked(prober, whole(headers="x-amalthea-site: north\r\n"))).ok


async def test_a_body_without_end_is_read_up_to_the_limit(prober: HttpProber) -> None:
    assert (await asked(prober, flood, contains="welcome")).ok
    seen = await asked(prober, whole(b" " * BODY_LIMIT + b"welcome"), contains="welcome")
    assert seen.detail == "the page does not hold what it should"


async def test_the_headers_of_the_watch_are_sent(prober: HttpProber) -> None:
    requests: list[bytes] = []

    async def record(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        await whole()(request, writer)

    async with serving(record) as port:
        headers = {"Host": "nbviewer.example.org:8000", "x-amalthea-site": "north"}
        assert (await prober.ask(watch(port, Probe(name="front page"), **headers))).ok
    lines = requests[0].decode().lower().split("\r\n")
    assert [line for line in lines if line.startswith("host:")] == ["host: nbviewer.example.org:8000"]
    assert "x-amalthea-site: north" in lines
    assert "accept-encoding: identity" in lines


@pytest.mark.parametrize("url", ["nowhere", "http://127.0.0.1:99999999/", "gopher://127.0.0.1/", "http://\x00/"])
async def test_a_question_that_cannot_be_asked_is_a_failure_and_no_error(prober: HttpProber, url: str) -> None:
    seen = await prober.ask(Watch(service="nbviewer", site="north", probe=Probe(name="front page"), url=url))
    assert (seen.ok, seen.detail) == (False, "the question could not be asked")


async def test_many_hanging_services_are_asked_at_the_same_time(prober: HttpProber) -> None:
    async with serving(hang) as port:
        question = watch(port, Probe(name="front page", timeout=Duration(0.3)))
        started = time.perf_counter()
        seen = await asyncio.gather(*(prober.ask(question) for _ in range(40)))
    assert not any(one.ok for one in seen)
    assert time.perf_counter() - started < 2


async def test_over_tls_the_certificate_has_to_be_the_public_names(tmp_path: Path) -> None:
    authority, server = certificate(tmp_path, "nbviewer.example.org")
    async with serving(whole(), tls=server) as port, HttpProber(clock=lambda: NOON, tls=authority) as prober:

        async def ask(host: str) -> Observation:
            return await prober.ask(
                Watch(
                    service="nbviewer",
                    site="north",
                    probe=Probe(name="front page"),
                    url=f"https://127.0.0.1:{port}/",
                    headers={"host": host},
                )
            )

        assert (await ask("nbviewer.example.org")).ok
        detail = (await ask("try.example.org")).detail
    assert detail == "no secure connection: the certificate or the protocol is wrong"


async def test_ready_says_nothing_when_all_is_well() -> None:
    async with serving(whole(b"ok\n")) as port:
        assert await ready(address="127.0.0.1", port=port) == ""


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (whole(b"the store is full\nmore\n", status="503 Service Unavailable"), "answered 503: the store is full"),
        (whole(b"\x1b[31m\n", status="503 Service Unavailable"), "answered 503: [31m"),
        (whole(status="404 Not Found"), "answered 404"),
        (hang, "no answer within 200 ms"),
        (noise, "the connection broke off"),
    ],
)
async def test_ready_says_what_is_wrong(answer: Answer, problem: str) -> None:
    async with serving(answer) as port:
        assert await ready(address="127.0.0.1", port=port, timeout=0.2) == problem
    assert await ready(address="127.0.0.1", port=port) == "refused the connection"


def certificate(directory: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A context that trusts a new certificate for `host`, and one that serves it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = directory / "server.pem"
    file.write_bytes(private + made)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return ssl.create_default_context(cadata=made.decode()), server
