"""The browser of the tests: Debian's Chromium, driven by Playwright; or why there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def missing() -> str:
    """What keeps the tests from driving a browser here, or ""."""
    if PROGRAM is None:
        return "Chromium is not installed (Debian's package chromium)"
    driver = [sys.executable, "-m", "playwright", "--version"]
    done = subprocess.run(driver, capture_output=True, text=True, check=False)
    return f"Playwright's driver does not run here: {done.stderr.strip()}" if done.returncode else ""


needed = pytest.mark.skipif(bool(missing()), reason=missing())
