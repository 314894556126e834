"""`python -m benchmarks NAME`: run one benchmark, or `all`."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys

import msgspec
from rich.console import Console

import benchmarks
from benchmarks.notebooks.corpus import VARIABLE
from benchmarks.report import Report, show

_MODULES = {module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.ispkg}
NAMES = tuple(sorted(_MODULES - {"__main__", "report"}))


def main() -> int:
    """Run what was asked for; 1 when `--check` was given and a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=(*NAMES, "all"))
    parser.add_argument("--quick", action="store_true", help="under a minute, less exact")
    parser.add_argument("--check", action="store_true", help="exit 1 when a stated target is missed")
    parser.add_argument("--json", action="store_true", help="one JSON object a benchmark, for machines")
    parser.add_argument("--corpus", metavar="PATH", help=f"a directory of notebooks to render; else {VARIABLE}")
    given = parser.parse_args()
    if given.corpus:
        os.environ[VARIABLE] = given.corpus
    console, reports = Console(), list[Report]()
    for name in NAMES if given.name == "all" else (given.name,):
        report: Report = importlib.import_module(f"benchmarks.{name}").run(quick=given.quick)
        reports.append(report)
        if given.json:
            print(msgspec.json.encode(report).decode())
        else:
            show(report, console)
    missed = [target for report in reports for target in report.targets if not target.met]
    return 1 if given.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
