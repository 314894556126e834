from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from amalthea.model.errors import UsageError
from amalthea.model.fleet import Names
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (tmp_path / "root-secret").mkdir()
    (tmp_path / "secret.ipynb").write_bytes(notebook("# Secret"))
    (tmp_path / "root-secret" / "a.ipynb").write_bytes(notebook("# Secret"))
    for name in ("a.ipynb", "_b.ipynb", ".c.ipynb", ".hidden/d.ipynb", "deep/e ü.ipynb"):
        (root / name).write_bytes(notebook(f"# Notebook {name}"))
    (root / "picture.png").write_bytes(b"\x89PNG")
    (root / "pictured.ipynb").write_bytes(notebook("![a picture](picture.png)"))
    (root / "key.pem").write_bytes(b"key")
    (root / "private.ipynb").write_bytes(notebook("# Private"))
    (root / "private.ipynb").chmod(0o600)
    (root / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (root / "out").symlink_to(tmp_path / "root-secret")
    (root / "inside.ipynb").symlink_to(root / "a.ipynb")
    (root / "sly.ipynb").symlink_to(root / ".c.ipynb")
    os.mkfifo(root / "pipe.ipynb")
    return root


@pytest.fixture
async def viewer(root: Path, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    async with nbviewer({"local": str(root)}, store=store, clock=clock) as made:
        yield made


async def test_a_directory_lists_what_may_be_shown(viewer: Nbviewer) -> None:
    text = (await viewer.get("/localfile/")).text
    assert 'href="/localfile/deep/"' in text
    assert 'href="/localfile/a.ipynb"' in text
    assert 'href="/localfile/inside.ipynb"' in text
    for name in ("_b", ".c.", ".hidden", "private", "key.pem", "link.", "out", "sly", "pipe"):
        assert f">{name}" not in text


async def test_a_local_notebook_is_a_page_and_a_download(viewer: Nbviewer, root: Path) -> None:
    page = await viewer.get("/localfile/deep/e%20%C3%BC.ipynb")
    assert "Notebook deep/e ü.ipynb" in page.text
    file = await viewer.get("/localfile/deep/e%20%C3%BC.ipynb?download")
    assert file.content == (root / "deep/e ü.ipynb").read_bytes()
    assert file.headers["content-disposition"].startswith("attachment;")
    assert "html" not in file.headers["content-type"]


async def test_a_changed_file_is_a_changed_page(viewer: Nbviewer, root: Path) -> None:
    await viewer.get("/localfile/a.ipynb")
    (root / "a.ipynb").write_bytes(notebook("# Something else"))
    assert "Something else" in (await viewer.get("/localfile/a.ipynb")).text


async def test_a_picture_is_shown_on_the_content_origin_in_a_sandbox(viewer: Nbviewer) -> None:
    page = await viewer.get("/localfile/pictured.ipynb")
    assert 'src="/localfile/picture.png"' in page.text
    assert "img-src 'self' https:" in page.headers["content-security-policy"]
    address = await viewer.leads_to("/localfile/picture.png")
    assert address == "https://content.example.org/raw/localfile/picture.png"
    answer = await viewer.get("/raw/localfile/picture.png", headers={"host": "content.example.org"})
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_where_there_is_no_content_origin_a_picture_is_shown_in_a_sandbox_all_the_same(
    root: Path, store: MemoryStore, clock: Hand
) -> None:
    names = Names(domain="192.0.2.7", scheme="http", port=8000)
    async with nbviewer({"local": str(root)}, store=store, clock=clock, names=names) as alone:
        answer = await alone.get("/localfile/picture.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize("path", ["secret.ipynb", "secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", ".hidden.txt"])
async def test_the_content_origin_shows_no_file_that_nbviewer_does_not(viewer: Nbviewer, root: Path, path: str) -> None:
    (root.parent / "secret.txt").write_text("secret")
    (root / ".hidden.txt").write_text("secret")
    answer = await viewer.get(f"/raw/localfile/{path}", headers={"host": "content.example.org"})
    assert answer.status_code == 404


NOT_SHOWN = [
        "../secret.ipynb", "%2e%2e/secret.ipynb", "..%2fsecret.ipynb", "%2e%2e%2fsecret.ipynb", "..%5csecret.ipynb",
        "%2e%2e/root-secret/a.ipynb", "..%2froot-secret%2fa.ipynb", "-secret/a.ipynb", "deep/%2e%2e/a.ipynb",
        "%2fetc%2fpasswd", "//etc/passwd", "link.ipynb", "out/", "out/a.ipynb", ".c.ipynb", "_b.ipynb", "sly.ipynb",
        ".hidden/d.ipynb", "private.ipynb", "key.pem", "pipe.ipynb", "missing.ipynb", "a.ipynb%00", "%ff.ipynb",
        "a.ipynb/x.ipynb", "x" * 300,
    ]  # fmt: skip


async def test_what_may_not_be_shown_does_not_exist(viewer: Nbviewer) -> None:
    for path in NOT_SHOWN:
        answer = await viewer.get(f"/localfile/{path}")
        assert answer.status_code == 404, path
        assert "Secret" not in answer.text


async def test_files_of_one_user_can_be_shown_on_purpose(root: Path, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer({"local": str(root), "local_any_user": True}, store=store, clock=clock) as viewer:
        assert "Private" in (await viewer.get("/localfile/private.ipynb")).text


async def test_without_a_directory_there_are_no_local_files(store: MemoryStore, clock: Hand) -> None:
    async with nbviewer({}, store=store, clock=clock) as viewer:
        assert (await viewer.get("/localfile/")).status_code == 404


async def test_a_directory_that_is_not_there_is_said_at_the_start(store: MemoryStore, clock: Hand) -> None:
    with pytest.raises(UsageError, match="there is no directory"):
        async with nbviewer({"local": "/nowhere/at/all"}, store=store, clock=clock):
            pass


@pytest.mark.parametrize("host", ["localhost", "nbviewer.localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
async def test_files_of_this_machine_are_shown_under_its_own_names(
    root: Path, store: MemoryStore, clock: Hand, host: str
) -> None:
    names = Names(domain="localhost", scheme="http", port=8000)
    async with nbviewer({"local": str(root)}, store=store, clock=clock, names=names) as viewer:
        assert (await viewer.get("/localfile/", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"]
)
async def test_no_site_reads_files_of_this_machine_by_leading_its_name_here(
    root: Path, store: MemoryStore, clock: Hand, host: str
) -> None:
    names = Names(domain="localhost", scheme="http", port=8000)
    async with nbviewer({"local": str(root)}, store=store, clock=clock, names=names) as viewer:
        answer = await viewer.get("/localfile/", headers={"host": host})
    assert answer.status_code == 421
    assert "ipynb" not in answer.text
