"""Cached pages: pages a second, CPU and p99 through one process, against nginx and nbviewer with the same notebooks.

One nbviewer of ours runs as a provider would start it, and shows notebooks of a directory at `/url/`, from an origin
beside it, until every page is in its memory. nginx (one worker) serves the very bytes that it sends, from files. The
original nbviewer shows the same notebooks, from the Python named in AMALTHEA_NBVIEWER, with its own cache. Each is
asked for all the pages in turn, by the same client over 64 connections, several rounds; medians are shown.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import msgspec
import psutil

from benchmarks.report import Report, Table, Target, median
from tests.machine import free_ports

PAGES = 100
NGINX = """
daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; open_file_cache max=1000; keepalive_requests 100000000;
  client_body_temp_path {directory}/b; proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f;
  uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s; default_type text/html;
  server {{ listen 127.0.0.1:{port}; root {directory}/www; add_header content-encoding br; }}
}}
"""
ORIGIN = "import sys; from http.server import *; ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), \
type('H', (SimpleHTTPRequestHandler,), {'log_message': lambda *a: None})).serve_forever()"
PEER = """
import sys
from nbviewer.app import NBViewer, main
sys.argv = ["nbviewer", "--port=" + sys.argv[1], "--rate_limit=100000000", "--mc_threads=1"]
main()
"""
LUA = """
local paths = {{{paths}}}
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
"""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One round: pages a second, milliseconds of the slowest in a hundred, CPU microseconds a page."""

    rate: float
    p99: float
    cpu: float


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One that is asked: its port, its process, the paths, and what the client takes."""

    port: int
    pid: int
    paths: tuple[str, ...]
    encoding: str


def run(*, quick: bool) -> Report:
    """Ask every server that is installed."""
    if shutil.which("wrk") is None:
        return Report(name="serve", tables=(), notes=("wrk is not installed (Debian's package wrk).",))
    notes: list[str] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        names = _notebooks(directory / "notebooks")
        servers = _servers(stack, directory, names, notes)
        found: dict[str, list[Run]] = {name: [] for name in servers}
        for _ in range(3 if quick else 5):
            for name, server in servers.items():
                found[name].append(_ask(server, directory, seconds=2 if quick else 6))
    return _report(found, notes)


def _servers(stack: ExitStack, directory: Path, names: Sequence[str], notes: list[str]) -> dict[str, Server]:
    origin, ours, admin, nginx, peer = free_ports(5)
    stack.enter_context(_process(sys.executable, "-c", ORIGIN, str(origin), cwd=directory / "notebooks"))
    paths = tuple(f"/url/localhost:{origin}/{name}" for name in names)
    servers = {"amalthea": _ours(stack, ours, admin, paths=paths, origin=origin)}
    if shutil.which("nginx"):
        servers["nginx"] = _nginx(stack, nginx, servers["amalthea"], directory / "nginx")
    else:
        notes.append("nginx is not installed")
    program = os.environ.get("AMALTHEA_NBVIEWER")
    if program:
        servers["nbviewer"] = _peer(stack, program, peer, paths)
    else:
        notes.append("AMALTHEA_NBVIEWER names no Python that has nbviewer")
    return servers


def _notebooks(directory: Path) -> Sequence[str]:
    """Notebooks of some size, like those of a course: text, code, a table, a picture."""
    directory.mkdir()
    for number in range(PAGES):
        cells = [_cell(number, cell) for cell in range(40)]
        value = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        (directory / f"{number}.ipynb").write_text(json.dumps(value))
    return [f"{number}.ipynb" for number in range(PAGES)]


def _cell(number: int, cell: int) -> dict[str, object]:
    if cell % 2 == 0:
        words = " ".join(f"word{(number * 7919 + cell * 104729 + n * 31) % 997}" for n in range(60))
        return {"cell_type": "markdown", "metadata": {}, "source": f"## Part {cell} of {number}\n\n{words}"}
    code = "\n".join(f"value_{n} = compute({number}, {cell * n}, name='x{n}')" for n in range(8))
    output = {"output_type": "stream", "name": "stdout", "text": f"{number} {cell} done\n" * 3}
    return {"cell_type": "code", "metadata": {}, "execution_count": cell, "source": code, "outputs": [output]}


def _ours(stack: ExitStack, port: int, admin: int, *, paths: tuple[str, ...], origin: int) -> Server:
    settings = {"private_hosts": [f"localhost:{origin}"], "fresh": "1 h"}
    launch = {
        "service": "nbviewer",
        "site": {"name": "here", "fleet": "benchmark", "names": {"domain": "example.org"}, "stores": ["memory:"]},
        "settings": settings,
    }
    env = {
        **os.environ,
        "AMALTHEA_LAUNCH": json.dumps(launch),
        "AMALTHEA_PORT_HTTP": str(port),
        "AMALTHEA_PORT_ADMIN": str(admin),
    }
    program = Path(sys.executable).with_name("amalthea")
    pid = stack.enter_context(_process(str(program), "serve", "nbviewer", env=env))
    _warm(port, paths, headers={"accept-encoding": "br"})
    return Server(port=port, pid=pid, paths=paths, encoding="br")


def _nginx(stack: ExitStack, port: int, ours: Server, directory: Path) -> Server:
    """The very bytes that ours sends, as files."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{ours.port}") as client:
        for path in ours.paths:
            file = directory / "www" / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            with client.stream("GET", path, headers={"accept-encoding": "br"}) as answer:
                file.write_bytes(b"".join(answer.iter_raw()))
    directory.chmod(0o755)
    for parent in list(directory.parents)[:1]:
        parent.chmod(0o755)
    (directory / "conf").write_text(NGINX.format(directory=directory, port=port))
    pid = stack.enter_context(_process("nginx", "-c", str(directory / "conf")))
    _warm(port, ours.paths, headers={"accept-encoding": "br"})
    return Server(port=port, pid=pid, paths=ours.paths, encoding="br")


def _peer(stack: ExitStack, program: str, port: int, paths: tuple[str, ...]) -> Server:
    """The original; its in-process cache holds ten entries, so it is asked for three pages only."""
    pid = stack.enter_context(_process(program, "-c", PEER, str(port)))
    few = paths[:3]
    _warm(port, few, headers={"accept-encoding": "gzip"})
    return Server(port=port, pid=pid, paths=few, encoding="gzip")


@contextmanager
def _process(*argv: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> Iterator[int]:
    with subprocess.Popen(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        try:
            yield started.pid
        finally:
            for child in psutil.Process(started.pid).children(recursive=True):
                child.kill()
            started.kill()


def _warm(port: int, paths: Sequence[str], *, headers: dict[str, str]) -> None:
    """Ask until every page has been answered twice."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for path in (*paths, *paths):
            _until(lambda path=path: client.get(path, headers=headers).status_code == 200)  # type: ignore[misc]


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if done():
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("a server did not show its pages within a minute")


def _ask(server: Server, directory: Path, *, seconds: int) -> Run:
    script = directory / f"{server.port}.lua"
    script.write_text(LUA.format(paths=", ".join(f'"{path}"' for path in server.paths)))
    before = _cpu(server.pid)
    argv = ["wrk", "-t1", "-c64", f"-d{seconds}s", "--latency", "--timeout", "60s", "-s", str(script)]
    argv += ["-H", f"accept-encoding: {server.encoding}", f"http://127.0.0.1:{server.port}/"]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    spent = _cpu(server.pid) - before
    (count,) = map(int, re.findall(r"(\d+) requests in", text))
    if "Non-2xx" in text or not count:
        raise RuntimeError(f"not every request was answered:\n{text}")
    ((value, unit),) = re.findall(r"\s99%\s+([\d.]+)(us|ms|s|m)\b", text)
    return Run(
        rate=float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0]),
        p99=float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit],
        cpu=spent / count * 1e6,
    )


def _cpu(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    top = psutil.Process(pid)
    return sum(p.cpu_times().user + p.cpu_times().system for p in (top, *top.children(recursive=True)))


def _report(found: dict[str, list[Run]], notes: list[str]) -> Report:
    middle = {
        name: Run(
            rate=median([run.rate for run in runs]),
            p99=median([run.p99 for run in runs]),
            cpu=median([run.cpu for run in runs]),
        )
        for name, runs in found.items()
    }
    ours = middle["amalthea"]
    rows = tuple((name, run.rate, run.cpu, run.p99, ours.rate / run.rate) for name, run in middle.items())
    targets = [Target(name="p99 of cached pages, ms", measured=ours.p99, at_most=50)]
    if "nginx" in middle:
        targets.append(Target(name="pages/s, of nginx's", measured=ours.rate / middle["nginx"].rate, at_least=0.5))
    if "nbviewer" in middle:
        targets.append(
            Target(name="pages/s, times nbviewer's", measured=ours.rate / middle["nbviewer"].rate, at_least=100)
        )
    columns = ("server", "pages/s", "CPU us/page", "p99 ms", "ours is faster by")
    title = f"{PAGES} cached pages in turn, 64 connections, one process, medians"
    return Report(
        name="serve",
        tables=(Table(title=title, columns=columns, rows=rows),),
        targets=tuple(targets),
        notes=tuple(notes),
    )
