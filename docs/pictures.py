"""Take the pictures of the documentation from the real thing: `.venv/bin/python docs/pictures.py`.

Runs the laptop fleet in a terminal of its own (tmux), so port 8000 has to be free. Needs tmux, chromium and,
to make the pictures small, ImageMagick.
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

STATIC = Path(__file__).parent / "_static"
COLUMNS, ROWS = 92, 20

# Rich's own form loads a font from elsewhere; this one takes the reader's.
FORM = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
aria-label="The screen of make up: each service, its site, its health">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def main() -> None:
    """The terminal, a notebook, and the status page after a site was killed."""
    with tempfile.TemporaryDirectory(prefix="laptop") as directory, fleet(directory) as screen:
        time.sleep(30)
        draw(screen(), STATIC / "laptop.svg")
        photograph("http://nbviewer.localhost:8000/sample", STATIC / "nbviewer.png", height=760)
        subprocess.run([found("pkill"), "-KILL", "-f", f"{directory}/.amalthea/log/north/"], check=True)
        time.sleep(20)
        photograph("http://status.localhost:8000/", STATIC / "status.png", height=530)


@contextmanager
def fleet(directory: str) -> Iterator[Callable[[], str]]:
    """The laptop fleet in a terminal; gives what the terminal shows, colours and all."""
    session = [found("tmux"), "-L", f"pictures-{Path(directory).name}"]
    command = f"cd {directory} && exec {sys.executable} -m amalthea up"
    subprocess.run([*session, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), command], check=True)
    try:
        while socket.socket().connect_ex(("127.0.0.1", 8000)) != 0:
            time.sleep(0.2)
        yield lambda: subprocess.check_output([*session, "capture-pane", "-e", "-p"], text=True)
    finally:
        subprocess.run([*session, "send-keys", "C-c"], check=True)
        while subprocess.run([*session, "has-session"], capture_output=True, check=False).returncode == 0:
            time.sleep(0.2)


def photograph(url: str, path: Path, *, height: int) -> None:
    """The top of a page, in few colours."""
    with tempfile.TemporaryDirectory() as profile:
        quiet = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
        window = ("--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size=1000,{height}")
        own = (f"--user-data-dir={profile}", f"--screenshot={path}")
        subprocess.run([found("chromium"), *window, *quiet, *own, url], check=True, capture_output=True)
    subprocess.run([found("convert"), path, "-strip", "+dither", "-colors", "64", f"PNG8:{path}"], check=True)


def found(program: str) -> str:
    """The path of a program."""
    path = shutil.which(program)
    return path if path is not None else sys.exit(f"there is no {program}")


def draw(screen: str, path: Path) -> None:
    """The part of the screen since it was last drawn, as a picture of text."""
    text = screen[screen.rindex("amalthea", 0, screen.index("all services")) :].rstrip() + "\n"
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text))
    path.write_text(console.export_svg(title="make up", code_format=FORM, unique_id="laptop"))


if __name__ == "__main__":
    main()
