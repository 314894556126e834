"""Started as `python -I .../warm DESCRIPTOR PRELOAD...`: find the modules of amalthea without running its packages.

The interpreter is the environment's own, which has none of amalthea's dependencies, so the packages above this one
stand here as empty modules that know their directories and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

_PACKAGES = ("amalthea", "amalthea.providers", "amalthea.providers.process")


def _stand_in() -> None:
    here = Path(__file__).resolve().parent
    for name, directory in zip(reversed(_PACKAGES), here.parents, strict=False):
        module = ModuleType(name)
        module.__path__ = [str(directory)]
        sys.modules[name] = module
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != here]


def main() -> None:
    """Become the warm parent."""
    _stand_in()
    from amalthea.providers.process.warm.parent import run

    run(int(sys.argv[1]), sys.argv[2:])


main()
