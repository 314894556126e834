"""A host on the internet, as far as a session can tell: HTTP in plain or by TLS, on a loopback address of its own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = "127.0.0.2"
"""Where origins stand: the one network that sessions in these tests may reach."""
NAMES = ("cdn.example", "neighbour.example")

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Origin:
    """`received` is every request it got, whole; `accepted` counts connections."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.received: list[bytes] = []
        self.accepted = 0
        self.port = 0
        self._answer = answer or self._http

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.received.append(head)
            url = urlsplit(head.split()[1].decode())
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            body = b"x" * int(query.get("size", "5"))
            status, more = (302, f"Location: {query['to']}\r\n") if "to" in query else (200, "")
            close = b"connection: close" in head.lower()
            writer.write(
                f"HTTP/1.1 {status} Fine\r\nContent-Length: {len(body)}\r\n{more}"
                f"{'Connection: close' if close else 'X: y'}\r\n\r\n".encode()
                + body
            )
            await writer.drain()
            if close:
                return


@asynccontextmanager
async def running(
    origin: Origin, *, tls: ssl.SSLContext | None = None, at: str = HERE, port: int = 0
) -> AsyncIterator[Origin]:
    """The origin on a port of loopback, until the block ends."""
    server = await asyncio.start_server(origin.handle, at, port, ssl=tls)
    origin.port = server.sockets[0].getsockname()[1]
    try:
        yield origin
    finally:
        server.close()
        await server.wait_closed()


@cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For a server that has `NAMES`, and for a client that believes it; made once."""
    with TemporaryDirectory() as directory:
        pem = Path(directory) / "both.pem"
        pem.write_bytes(_certificate())
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(pem)
        return server, ssl.create_default_context(cafile=str(pem))


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + made.public_bytes(form)
