"""Take the pictures of the documentation from the real thing: `.venv/bin/python -m docs.pictures [NAME…]`.

The fleet's pictures run the laptop fleet in a terminal of its own (tmux), so port 8000 has to be free; nbviewer's run
`amalthea serve nbviewer` over notebooks made by `docs.notebooks`, and those of notebook servers `amalthea serve tmpnb`
with a few places. Needs chromium, tmux for the fleet and, to make the pictures small, ImageMagick.
"""

from __future__ import annotations

import io
import json
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
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.text import Text

from docs import notebooks
from tests.browser.chromium import ARGUMENTS

STATIC = Path(__file__).parent / "_static"
COLUMNS, ROWS = 92, 24
LOCAL = "/localfile"
PLACES = 6
WELCOME = "lab/tree/welcome.ipynb"
BINDER = "https://mybinder.org/v2/gh/ipython/ipython-in-depth/HEAD"

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


FLEET, TRY = "fleet", "try"


def main() -> None:
    """Those that are named, or all: the terminal, pages of services, the status page after a site was killed."""
    known = (FLEET, TRY, *PICTURES)
    wanted = set(sys.argv[1:] or known)
    if unknown := wanted - set(known):
        sys.exit(f"there is no picture {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    complaints: list[str] = []
    with browsing() as browser:
        if wanted & set(PICTURES):
            with nbviewer() as address:
                for name in sorted(wanted & set(PICTURES)):
                    complaints += photograph(browser, address, PICTURES[name], STATIC / f"nbviewer-{name}.png")
        if TRY in wanted:
            complaints += picture_sessions(browser)
        if FLEET in wanted:
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
        status = Picture("/", 690)
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


def picture_sessions(browser: Browser) -> list[str]:
    """The front page, a notebook in JupyterLab with the strip, and the queue of who comes after that."""
    with tempfile.TemporaryDirectory(prefix="pictures") as directory:
        offer = {"title": "JupyterLab", "text": "An empty server with Python", "directory": directory, "open": WELCOME}
        notebooks.write_welcome(Path(directory))
        offers = [offer, {"title": "Notebook", "text": "One notebook at a time", "open": "tree"}]
        settings = (f"capacity={PLACES}", "pool=1", "patience='1 s'", f"fallback='{BINDER}'", f"offers={_toml(offers)}")
        with alone("tmpnb", "try", *(word for pair in settings for word in ("--set", pair))) as address:
            complaints = photograph(browser, address, Picture("/", 700), STATIC / "try-front.png")
            complaints += photograph(browser, address, Picture("/", 800), STATIC / "try.png", work)
            return complaints + photograph(browser, address, Picture("/", 560), STATIC / "try-queue.png", queue)


def work(page: Page) -> None:
    """Start a server and run what the notebook holds, with the strip open."""
    page.locator("button.offer").first.click()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(".jp-OutputArea-output").last.wait_for(timeout=60_000)
    page.locator("amalthea-strip .pill").click()


def queue(page: Page) -> None:
    """Ask for a server when there is none, and others wait."""
    for _ in range(PLACES - 1):
        page.evaluate("fetch('/api/spawn', {method: 'POST'})")
    for _ in range(2):
        page.evaluate("fetch('/spawn', {method: 'POST', body: new URLSearchParams({offer: '0'})})")
    page.locator("button.offer").first.click()
    page.locator("[data-elsewhere]").wait_for(timeout=60_000)


def _toml(offers: list[dict[str, str]]) -> str:
    return f"[{', '.join('{' + ', '.join(f'{k} = {json.dumps(v)}' for k, v in one.items()) + '}' for one in offers)}]"


@contextmanager
def nbviewer() -> Iterator[str]:
    """One nbviewer over the notebooks made here; gives its address."""
    with tempfile.TemporaryDirectory(prefix="notebooks") as directory:
        Path(directory).chmod(0o755)
        notebooks.write(Path(directory))
        with alone("nbviewer", "nbviewer", "--local", directory) as address:
            yield address


@contextmanager
def alone(service: str, host: str, *options: str) -> Iterator[str]:
    """One service; gives its address."""
    port, admin = free_port(), free_port()
    command = [sys.executable, "-m", "amalthea", "serve", service, "--port", str(port), "--admin-port", str(admin)]
    with (
        tempfile.TemporaryDirectory(prefix=service) as directory,
        subprocess.Popen([*command, *options], cwd=directory) as process,
    ):
        try:
            wait_for(port)
            yield f"http://{host}.localhost:{port}"
        finally:
            process.terminate()
            process.wait()


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


def photograph(
    browser: Browser, address: str, picture: Picture, path: Path, act: Callable[[Page], None] | None = None
) -> list[str]:
    """The top of a page, in few colours, once `act` is done with it; gives what the browser complained of."""
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
    if act is not None:
        act(page)
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
