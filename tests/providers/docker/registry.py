"""A registry on loopback with one image of one small file: enough of the protocol to pull it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIGURATION = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@contextmanager
def registry() -> Iterator[str]:
    """Its address, as the first part of an image's name. Every name below it is the same image."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _blobs() -> tuple[bytes, dict[str, bytes]]:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("file"))
    layer = gzip.compress(plain.getvalue(), mtime=0)
    rootfs = {"type": "layers", "diff_ids": [_digest(plain.getvalue())]}
    configuration = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
    described = [
        {"mediaType": kind, "size": len(body), "digest": _digest(body)}
        for kind, body in ((_CONFIGURATION, configuration), (_LAYER, layer))
    ]
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": described[0], "layers": described[1:]}
    return json.dumps(manifest).encode(), {_digest(body): body for body in (configuration, layer)}


MANIFEST, BLOBS = _blobs()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, body = "application/json", b"{}"
        if "/manifests/" in self.path:
            kind, body = _MANIFEST, MANIFEST
        elif "/blobs/" in self.path:
            kind, body = "application/octet-stream", BLOBS[self.path.rpartition("/")[2]]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", _digest(body))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the base class looks for it by this name

    def log_message(self, format: str, *arguments: object) -> None:
        pass
