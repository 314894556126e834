from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from amalthea.model.errors import StoreError, StoreUnavailable, UsageError
from amalthea.model.store import ObjectStore
from amalthea.store.bucket import BucketStore
from tests.contracts.store import StoreContract, listed_keys
from tests.store.moto import credentials, environment, make_bucket, s3_server

_names = count()

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as url, environment(**credentials(url)):
        yield url


class TestBucketStore(StoreContract):
    @pytest.fixture
    async def store(self, server: str) -> AsyncIterator[ObjectStore]:
        name = f"bucket-{next(_names)}"
        make_bucket(server, name)
        store = await BucketStore.open(f"s3://{name}/below/here")
        yield store
        await store.aclose()


async def test_stores_below_two_paths_of_one_bucket_do_not_meet(server: str) -> None:
    make_bucket(server, "shared")
    one, other = [await BucketStore.open(f"s3://shared/{path}") for path in ("one", "one-more")]
    await one.put("a", b"")
    assert await listed_keys(other) == []


async def test_a_listing_of_more_than_a_page_is_whole_and_resumes(server: str) -> None:
    make_bucket(server, "pages")
    store = await BucketStore.open("s3://pages")
    names = sorted(f"{n:05}" for n in range(1100))
    for name in names:
        await store.put(name, b"")
    assert await listed_keys(store) == names
    assert await listed_keys(store, after="01050") == names[1051:]


async def test_a_bucket_that_is_not_there_is_unavailable_and_not_empty(server: str) -> None:
    with pytest.raises(StoreUnavailable, match="bucket does not exist"):
        await BucketStore.open("s3://nowhere")


async def test_a_server_that_does_not_answer_is_unavailable_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with environment(**credentials(url)), pytest.raises(StoreUnavailable, match="s3://silent"):
            await BucketStore.open("s3://silent", patience=0.2)


class Overwriting(BaseHTTPRequestHandler):
    """Takes every write and looks at no condition, as some S3 compatible servers do."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(b"<DeleteResult><Deleted><Key>any</Key></Deleted></DeleteResult>")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("etag", '"same"')
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


async def test_a_bucket_without_conditional_create_is_refused() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Overwriting) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            with environment(**credentials(url)), pytest.raises(StoreError, match="overwrites"):
                await BucketStore.open("s3://careless")
        finally:
            server.shutdown()


@pytest.mark.parametrize("url", ["s3://", "http://bucket", "s3://id:secret@bucket", "s3://bucket?x=1", "bucket"])
async def test_what_is_not_the_url_of_a_bucket_is_refused_without_telling_a_secret(url: str) -> None:
    with pytest.raises(UsageError, match="environment") as caught:
        await BucketStore.open(url)
    assert "secret" not in str(caught.value)
