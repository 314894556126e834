"""Build the site of notebooks that run in the browser: `python -m amalthea.services.tmpnb.lite DIRECTORY`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from amalthea.model.errors import AmaltheaError, ExitCode
from amalthea.services.tmpnb.lite.building import build_site, ensure_site


def main(arguments: list[str] | None = None) -> int:
    """Build, and say how it went; the exit code is the error's."""
    asked = argparse.ArgumentParser(prog="python -m amalthea.services.tmpnb.lite", description=__doc__)
    asked.add_argument("directory", type=Path, help="where the site is put")
    asked.add_argument("--python", choices=("auto", "required", "never"), default="auto", help="the Python kernel")
    asked.add_argument("--packages", type=Path, help="where archives are looked for and kept [DIRECTORY/packages]")
    asked.add_argument(
        "--if-needed", action="store_true", help="keep a site that is there and made from the same parts"
    )
    given = asked.parse_args(arguments)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)

    make = ensure_site if given.if_needed else build_site
    try:
        site = make(given.directory.absolute(), say=say, python=given.python, packages=given.packages)
    except AmaltheaError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    say(site.summary())
    return int(ExitCode.DONE)


if __name__ == "__main__":
    sys.exit(main())
