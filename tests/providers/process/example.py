"""A small program for tests: `example.py [--say TEXT] [--die SECONDS] ...`, serving HTTP on AMALTHEA_PORT_HTTP.

Whoever asks it gets its process number, its arguments and its environment as JSON.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time


class Answer(http.server.BaseHTTPRequestHandler):
    """Says who answers."""

    def do_GET(self) -> None:
        body = json.dumps({"pid": os.getpid(), "argv": sys.argv[1:], "environment": dict(os.environ)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--say", action="append", default=[], help="a line to print")
    parser.add_argument("--flood", type=int, default=0, help="print that many numbered lines of 1 KiB")
    parser.add_argument("--die", type=float, default=-1, help="exit with code 3 after so many seconds")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    parser.add_argument(
        "--family", action="store_true", help="start a sleeper in this group and one in its own session"
    )
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--tick", action="store_true", help="print a number every 0.05 s")
    return parser.parse_args()


def main() -> None:
    said = options()
    if said.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if said.family:
        bare = {"PATH": os.environ["PATH"]}
        subprocess.Popen(["sleep", "600"])
        subprocess.Popen(["sleep", "600"], start_new_session=True, env=bare)
    for line in said.say:
        print(line, flush=True)
    for number in range(said.flood):
        print(f"{number:07} {'x' * 1015}")
    sys.stdout.flush()
    if said.die >= 0:
        threading.Timer(said.die, os._exit, (3,)).start()
    if said.tick:
        threading.Thread(target=tick, daemon=True).start()
    server = http.server.ThreadingHTTPServer((said.address, int(os.environ["AMALTHEA_PORT_HTTP"])), Answer)
    server.serve_forever()


def tick() -> None:
    for number in range(100000):
        print(f"tick {number}", flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
