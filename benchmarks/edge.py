"""What the edge costs: requests a second, latency and CPU through it, direct, and through nginx and HAProxy.

One origin (uvicorn, 1 KB from memory) stands behind all of them; each is asked in turn by the same client, several
rounds, and medians are shown. The edge runs with all that a fleet needs: health checks, retries, hedging, the access
log. The others run as plain proxies that log nothing, which favours them.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import psutil

from benchmarks.report import Report, Table, Target, median
from tests.edge.running import copies, fleet, process, running, wait_for
from tests.machine import free_ports

ORIGIN = """
import sys, uvicorn
BODY = b"x" * 1024
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1024")]})
    await send({"type": "http.response.body", "body": BODY})
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", lifespan="off")
"""
NGINX = """
daemon off; worker_processes 2; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {directory}/b; proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f;
  uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; }}
  server {{ listen 127.0.0.1:{port} reuseport; keepalive_requests 1000000;
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""
HAPROXY = """
global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  option httpchk GET /
  server s 127.0.0.1:{origin} check
"""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One round against one address: answers a second, milliseconds, and CPU microseconds a request."""

    rate: float
    p50: float
    p99: float
    cpu: float


def run(*, quick: bool) -> Report:
    """Ask every proxy that is installed."""
    if shutil.which("wrk") is None:
        return Report(
            name="edge", tables=(), notes=("wrk is not installed (Debian's package wrk); nothing was measured.",)
        )
    return asyncio.run(_compare(seconds=2 if quick else 8, rounds=3 if quick else 5))


async def _compare(*, seconds: int, rounds: int) -> Report:
    origin, listen, nginx, haproxy = free_ports(4)
    with ExitStack() as stack:
        stack.enter_context(process(sys.executable, "-c", ORIGIN, str(origin)))
        wait_for(origin)
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ways: dict[str, tuple[int, Callable[[], float]]] = {"direct": (origin, lambda: 0.0)}
        peers = (("nginx", nginx, NGINX, ("nginx", "-c")), ("haproxy", haproxy, HAPROXY, ("haproxy", "-f")))
        for name, port, text, argv in peers:
            if shutil.which(name):
                ways[name] = (port, stack.enter_context(_peer(text, argv, directory, port=port, origin=origin)))
        async with running(fleet(listen), "here", copies({"north": origin})) as edge:
            await edge.until_healthy(1)
            ways["edge"] = (listen, lambda: _cpu(edge.proxy.pid))
            found: dict[str, list[Run]] = {name: [] for name in ways}
            for _ in range(rounds):
                for name, (port, cpu) in ways.items():
                    found[name].append(await asyncio.to_thread(_ask, port, cpu, seconds))
    return _report(found)


def _report(found: dict[str, list[Run]]) -> Report:
    middle = {
        name: Run(
            rate=median([r.rate for r in runs]),
            p50=median([r.p50 for r in runs]),
            p99=median([r.p99 for r in runs]),
            cpu=median([r.cpu for r in runs]),
        )
        for name, runs in found.items()
    }
    rows = tuple(
        (name, r.rate, r.p50, r.p99, r.cpu if name != "direct" else None, r.rate / middle["direct"].rate)
        for name, r in middle.items()
    )
    missing = [name for name in ("nginx", "haproxy") if name not in found]
    columns = ("way", "requests/s", "p50 ms", "p99 ms", "proxy CPU us/request", "of direct")
    return Report(
        name="edge",
        tables=(Table(title="1 KB from one origin, 64 connections, medians", columns=columns, rows=rows),),
        targets=(Target(name="p99 through the edge, ms", measured=middle["edge"].p99, at_most=100),),
        notes=tuple(f"{name} is not installed" for name in missing),
    )


@contextmanager
def _peer(
    text: str, argv: tuple[str, ...], directory: Path, *, port: int, origin: int
) -> Iterator[Callable[[], float]]:
    file = directory / f"{argv[0]}.conf"
    file.write_text(text.format(directory=directory, port=port, origin=origin))
    with process(*argv, str(file)) as started:
        wait_for(port)
        try:
            yield lambda: _cpu(started.pid)
        finally:
            for child in psutil.Process(started.pid).children(recursive=True):
                child.kill()


def _cpu(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    top = psutil.Process(pid)
    return sum(p.cpu_times().user + p.cpu_times().system for p in (top, *top.children(recursive=True)))


def _ask(port: int, cpu: Callable[[], float], seconds: int) -> Run:
    before = cpu()
    argv = [
        "wrk",
        "-t1",
        "-c64",
        f"-d{seconds}s",
        "--latency",
        "-H",
        "Host: nbviewer.localhost",
        f"http://127.0.0.1:{port}/",
    ]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    spent = cpu() - before
    (count,) = map(int, re.findall(r"(\d+) requests in", text))
    if "Non-2xx" in text:
        raise RuntimeError(f"not every request was answered:\n{text}")
    return Run(
        rate=float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0]),
        p50=_milliseconds(text, "50"),
        p99=_milliseconds(text, "99"),
        cpu=spent / count * 1e6,
    )


def _milliseconds(text: str, percent: str) -> float:
    ((value, unit),) = re.findall(rf"\s{percent}%\s+([\d.]+)(us|ms|s)\b", text)
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
