"""Take the pictures of the documentation from the real thing: `.venv/bin/python -m docs.pictures [NAME…]`.

The fleet's pictures run the laptop fleet in a terminal of its own (tmux), so port 8000 has to be free; nbviewer's run
`amalthea serve nbviewer` over notebooks made by `docs.notebooks`. Needs chromium, tmux for the fleet and, to make the
pictures small, ImageMagick.
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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.text import Text

from docs import notebooks
from tests.browser.chromium import ARGUMENTS

STATIC = Path(__file__).parent / "_static"
COLUMNS, ROWS = 92, 20
LOCAL = "/localfile"

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


class Picture(NamedTuple):
    """A page of nbviewer: its path, the height of the window, what to wait for, how the browser is set."""

    path: str
    height: int
    frame: str = ""
    """A selector that has to be visible inside the first frame."""
    width: int = 1000
    dark: bool = False
    phone: bool = False
    colours: int = 64


PICTURES = {
    "front": Picture("/", 860),
    "plot": Picture(f"{LOCAL}/day-length.ipynb", 880, frame=".main-svg .scatterlayer"),
    "widgets": Picture(f"{LOCAL}/tides.ipynb", 640, frame=".widget-slider .noUi-handle"),
    "formulas": Picture(f"{LOCAL}/series.ipynb", 760),
    "dark": Picture("/sample", 760, dark=True),
    "phone": Picture(f"{LOCAL}/day-length.ipynb", 844, frame=".main-svg .scatterlayer", width=390, phone=True),
    "slides": Picture(f"/format/slides{LOCAL}/talk.ipynb#/1", 560),
    "diff": Picture(f"/diff?a={LOCAL}/growth-monday.ipynb&b={LOCAL}/growth-friday.ipynb", 800),
}


def main() -> None:
    """Those that are named, or all: the terminal, nbviewer's pages, and the status page after a site was killed."""
    wanted = set(sys.argv[1:]) or {"fleet", *PICTURES}
    if unknown := wanted - {"fleet", *PICTURES}:
        sys.exit(f"there is no picture {', '.join(sorted(unknown))}; there are fleet, {', '.join(PICTURES)}")
    complaints: list[str] = []
    with browsing() as browser:
        if wanted & set(PICTURES):
            with alone() as address:
                for name in sorted(wanted & set(PICTURES)):
                    complaints += photograph(browser, address, PICTURES[name], STATIC / f"nbviewer-{name}.png")
        if "fleet" in wanted:
            complaints += picture_fleet(browser)
    if complaints:
        sys.exit("the pictures are taken, but the browser complained:\n" + "\n".join(dict.fromkeys(complaints)))


def picture_fleet(browser: Browser) -> list[str]:
    """What shows a fleet."""
    with tempfile.TemporaryDirectory(prefix="laptop") as directory, fleet(directory) as screen:
        time.sleep(30)
        draw(screen(), STATIC / "laptop.svg")
        sample = Picture("/sample", 760)
        complaints = photograph(browser, "http://nbviewer.localhost:8000", sample, STATIC / "nbviewer.png")
        kill(f"{directory}/.amalthea/log/north/")
        time.sleep(20)
        status = Picture("/", 530)
        return complaints + photograph(browser, "http://status.localhost:8000", status, STATIC / "status.png")


def kill(path: str) -> None:
    """End every process that was started with this path."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if path in " ".join(process.cmdline()):
                process.kill()


@contextmanager
def fleet(directory: str) -> Iterator[Callable[[], str]]:
    """The laptop fleet in a terminal; gives what the terminal shows, colours and all."""
    session = [found("tmux"), "-L", f"pictures-{Path(directory).name}"]
    command = f"cd {directory} && exec {sys.executable} -m amalthea up"
    subprocess.run([*session, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), command], check=True)
    try:
        wait_for(8000)
        yield lambda: subprocess.check_output([*session, "capture-pane", "-e", "-p"], text=True)
    finally:
        subprocess.run([*session, "send-keys", "C-c"], check=True)
        while subprocess.run([*session, "has-session"], capture_output=True, check=False).returncode == 0:
            time.sleep(0.2)


@contextmanager
def alone() -> Iterator[str]:
    """One nbviewer over the notebooks made here; gives its address."""
    port, admin = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="notebooks") as directory:
        Path(directory).chmod(0o755)
        notebooks.write(Path(directory))
        command = [sys.executable, "-m", "amalthea", "serve", "nbviewer", "--port", str(port), "--local", directory]
        with subprocess.Popen([*command, "--admin-port", str(admin)], cwd=directory) as process:
            try:
                wait_for(port)
                yield f"http://nbviewer.localhost:{port}"
            finally:
                process.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Until somebody answers."""
    while True:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found("chromium"), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def photograph(browser: Browser, address: str, picture: Picture, path: Path) -> list[str]:
    """The top of a page, in few colours; gives what the browser complained of."""
    told: list[str] = []
    phone: dict[str, Any] = {"is_mobile": True, "has_touch": True, "device_scale_factor": 1.5} if picture.phone else {}
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.dark else "light",
        **phone,
    )
    page = context.new_page()
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(address + picture.path, wait_until="networkidle")
    if picture.frame:
        page.frame_locator("iframe.frame").first.locator(picture.frame).first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=path)
    context.close()
    few = ["-strip", "+dither", "-colors", str(picture.colours)]
    subprocess.run([found("convert"), str(path), *few, f"PNG8:{path}"], check=True)
    return [f"{picture.path}: {text}" for text in told]


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
