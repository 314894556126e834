"""The client by itself: certificates, names and addresses."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from amalthea.services.nbviewer.errors import Unavailable
from amalthea.services.nbviewer.fetching.addresses import Gate
from amalthea.services.nbviewer.fetching.fetcher import Fetcher, Limits
from tests.services.nbviewer.conftest import MORNING, Hand, resolver
from tests.serving import serving

LIMITS = Limits(seconds=5, size=1_000_000, redirects=3)


def certificate(directory: Path, *hosts: str) -> Path:
    """A key and a certificate for some names, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(MORNING - timedelta(days=3650))
        .not_valid_after(MORNING + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@asynccontextmanager
async def secure_server(pem: Path) -> AsyncIterator[tuple[int, list[Request]]]:
    """A server with TLS on a free port, and the requests that reached it."""
    requests: list[Request] = []

    async def answer(request: Request) -> Response:
        requests.append(request)
        if request.url.path == "/away":
            return RedirectResponse(f"https://other.example:{request.url.port}/b")
        return PlainTextResponse(request.headers["host"])

    app = Starlette(routes=[Route("/{path:path}", answer)])
    async with serving(app, ssl_certfile=str(pem), ssl_keyfile=str(pem)) as port:
        yield port, requests


@asynccontextmanager
async def fetcher(pem: Path, port: int) -> AsyncIterator[Fetcher]:
    """A client that believes this certificate, and may fetch two names, which are both this machine."""
    gate = Gate(allowed=["friend.example", "other.example"], ports=[port])
    resolve = resolver(friend_example=["127.0.0.1"], other_example=["127.0.0.1"])
    tls = ssl.create_default_context(cafile=str(pem))
    made = Fetcher(gate, LIMITS, tls=tls, resolve=resolve, clock=Hand())
    try:
        yield made
    finally:
        await made.aclose()


async def test_the_certificate_and_the_host_are_those_of_the_url_though_the_address_is_pinned(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "friend.example")
    async with secure_server(pem) as (port, _), fetcher(pem, port) as client:
        fetched = await client.get(f"https://friend.example:{port}/a")
    assert fetched.body == f"friend.example:{port}".encode()


async def test_a_name_whose_certificate_is_anothers_is_not_fetched_even_on_an_open_connection(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "friend.example")
    async with secure_server(pem) as (port, requests), fetcher(pem, port) as client:
        await client.get(f"https://friend.example:{port}/a")
        with pytest.raises(Unavailable, match="cannot be reached"):
            await client.get(f"https://other.example:{port}/a")
        assert len(requests) == 1


async def test_a_secret_header_does_not_follow_a_redirect_to_another_host(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "friend.example", "other.example")
    async with secure_server(pem) as (port, requests), fetcher(pem, port) as client:
        await client.get(f"https://friend.example:{port}/away", headers={"authorization": "Bearer x"})
    assert [request.headers.get("authorization") for request in requests] == ["Bearer x", None]
