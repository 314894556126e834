"""A store in a bucket: S3 (and what speaks its protocol), Google Cloud Storage, Azure Blob Storage.

Credentials, the region and the endpoint come from the environment, in the names that each provider's own
tools use (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `GOOGLE_APPLICATION_CREDENTIALS`, ...), never from a URL.

`if_absent` is a conditional create. Some servers that call themselves S3 compatible take the condition and
overwrite all the same, so `open` tries it first and refuses a bucket that does.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

import obstore
from obstore import exceptions as problems
from obstore.store import AzureStore, GCSStore, S3Store, from_url

from amalthea.model.errors import (
    InvalidKey,
    ObjectExists,
    ObjectMissing,
    StoreError,
    StoreUnavailable,
    UsageError,
)
from amalthea.model.store import ObjectInfo, check_key

SCHEMES = frozenset({"s3", "gs", "az"})
_LISTED_AT_ONCE = 1000
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")
_PROBE = ".probe/"  # no key begins with a dot, so no listing shows it


class BucketStore:
    """Objects in a bucket, below the path of its URL. Use `open`, which tries the bucket first."""

    def __init__(self, url: str, bucket: S3Store | GCSStore | AzureStore) -> None:
        self._url = url
        self._bucket = bucket

    @classmethod
    async def open(cls, url: str, *, patience: float = 30.0) -> Self:
        """The store at `s3://bucket/prefix`, `gs://...` or `az://...`; `patience` is the seconds for one request.

        Raises `UsageError` for another URL, `StoreUnavailable`, and `StoreError` for a bucket without
        conditional create.
        """
        store = cls(url, _bucket(url, timedelta(seconds=patience)))
        await store._try_conditional_create()
        return store

    async def _try_conditional_create(self) -> None:
        name = _PROBE + secrets.token_hex(12)
        with self._explained(name):
            await self._create(name)
            try:
                await self._create(name)
                honest = False
            except problems.AlreadyExistsError:
                honest = True
            await obstore.delete_async(self._bucket, name)
        if not honest:
            raise StoreError(
                "the bucket overwrites an object that it was asked to create only if absent",
                where=self._url,
                hint="Its server lacks conditional writes (`If-None-Match: *`). Use another one.",
            )

    async def _create(self, name: str) -> None:
        await obstore.put_async(self._bucket, name, b"", mode="create", use_multipart=False)

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        """See `ObjectStore.put`."""
        check_key(key)
        with self._explained(key):
            result = await obstore.put_async(
                self._bucket, key, body, mode="create" if if_absent else "overwrite", use_multipart=False
            )
        return _etag(result["e_tag"], result["version"])

    async def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        check_key(key)
        with self._explained(key):
            found = await obstore.get_async(self._bucket, key)
            return (await found.bytes_async()).to_bytes()

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        check_key(key)
        with self._explained(key), suppress(ObjectMissing), self._explained(key):
            await obstore.delete_async(self._bucket, key)

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`. Other objects in the bucket, with names that are no keys, are left out."""
        above = prefix.rpartition("/")[0]
        if "/" in prefix and not _is_key(above):
            return
        with self._explained(prefix):
            chunks = obstore.list(
                self._bucket, above or None, offset=_offset(prefix, after), chunk_size=_LISTED_AT_ONCE
            )
            async for chunk in chunks:
                for meta in chunk:
                    key = meta["path"]
                    if key > after and key.startswith(prefix) and _is_key(key):
                        etag = _etag(meta["e_tag"], meta["version"])
                        yield ObjectInfo(key=key, size=meta["size"], etag=etag, modified=meta["last_modified"])

    async def aclose(self) -> None:
        """Nothing to do: connections close by themselves."""

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Turn what the client raises into a `StoreError` that names the object."""
        try:
            yield
        except FileNotFoundError as error:
            if any(sign in str(error) for sign in _NO_BUCKET):
                raise self._unavailable(error, "Create the bucket, or correct the URL in the fleet file.") from None
            raise ObjectMissing("there is no object under this key", where=f"{self._url} {key}") from None
        except problems.AlreadyExistsError:
            raise ObjectExists("there is an object under this key", where=f"{self._url} {key}") from None
        except (problems.PermissionDeniedError, problems.UnauthenticatedError) as error:
            hint = "Check the credentials in the environment, and what they allow: put, get, delete and list."
            raise self._unavailable(error, hint) from None
        except (problems.BaseError, OSError) as error:
            raise self._unavailable(error, "See whether the provider has a problem; the same may work later.") from None

    def _unavailable(self, error: Exception, hint: str) -> StoreUnavailable:
        reason = str(error).partition("\n\nDebug source")[0].strip()
        return StoreUnavailable(reason, where=self._url, hint=hint)


def _bucket(url: str, patience: timedelta) -> S3Store | GCSStore | AzureStore:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname or parts.username or parts.query or parts.fragment:
        hint = "Write s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH; credentials go into the environment."
        raise UsageError(
            "this is not the URL of a bucket", where=url.replace(parts.netloc, parts.hostname or ""), hint=hint
        )
    try:
        store = from_url(
            url,
            client_options={
                "timeout": patience,
                "connect_timeout": min(patience, timedelta(seconds=5)),
                # These options replace those of the environment, so this one is read here.
                "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
            },
            retry_config={"max_retries": 0, "retry_timeout": patience},  # retrying is `RetryingStore`'s
        )
    except problems.BaseError as error:
        hint = "Its settings come from the environment: see the provider's names for credentials and region."
        raise UsageError(str(error).partition("\n\nDebug source")[0], where=url, hint=hint) from None
    assert isinstance(store, S3Store | GCSStore | AzureStore)
    return store


def _etag(etag: str | None, version: str | None) -> str:
    return (etag or version or "").strip('"')


def _is_key(text: str) -> bool:
    try:
        check_key(text)
    except InvalidKey:
        return False
    return True


def _offset(prefix: str, after: str) -> str | None:
    """Where the bucket may begin: behind the last of these that is a key, both of which lie before all wanted."""
    return max((text for text in (after, prefix[:-1]) if _is_key(text)), default=None)
