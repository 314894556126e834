"""The list of packages for the browser names what is here, and nothing else."""

from __future__ import annotations

import json

import pytest

from amalthea.services.tmpnb.lite.errors import BuildFailed
from amalthea.services.tmpnb.lite.lock import AT_START, rewritten
from amalthea.services.tmpnb.lite.pins import Core, Pins, Wheel, normalized, pins

ABOUT = {"abi_version": "1", "arch": "wasm32", "python": "3.14.2"}
ORIGINAL = json.dumps(
    {"info": ABOUT, "packages": {"numpy": {"file_name": "numpy.whl", "depends": ["libblas"]}}}
).encode()
PINS = Pins(python="3.14", core=Core(package="pyodide", version="1", integrity="", files=()), wheels=())
KERNEL = [Wheel(name=name, version="1", file=f"{name}.whl", sha256="0", imports=(name,)) for name in AT_START]


def made(*more: Wheel) -> dict[str, object]:
    known: dict[str, object] = json.loads(rewritten(ORIGINAL, PINS, [*KERNEL, *more]))
    return known


def test_only_what_is_here_is_listed_below_the_description_of_the_interpreter() -> None:
    lock = made()
    assert lock["info"] == ABOUT
    assert sorted(lock["packages"]) == sorted(AT_START)  # type: ignore[call-overload]


def test_a_package_is_listed_with_its_file_its_hash_and_what_it_needs() -> None:
    wheel = Wheel(name="six", version="2.0", file="six.whl", sha256="abc", depends=("jedi",), imports=("six",))
    entry = json.loads(rewritten(ORIGINAL, PINS, [*KERNEL, wheel]))["packages"]["six"]
    assert (entry["file_name"], entry["sha256"], entry["depends"]) == ("six.whl", "abc", ["jedi"])


def test_a_package_that_is_needed_and_not_here_is_refused_by_name() -> None:
    wheel = Wheel(name="pandas", version="1", file="a", sha256="", depends=("numpy", "jedi"))
    with pytest.raises(BuildFailed, match=r"packages are missing: numpy \(for pandas\)"):
        made(wheel)


def test_a_package_that_the_kernel_starts_with_may_not_be_missing() -> None:
    with pytest.raises(BuildFailed, match=r"micropip \(for the kernel\)"):
        rewritten(ORIGINAL, PINS, KERNEL[1:])


def test_no_package_is_listed_twice() -> None:
    with pytest.raises(BuildFailed, match="jedi is there twice"):
        made(Wheel(name="jedi", version="2", file="b", sha256=""))


def test_an_interpreter_of_another_version_is_refused() -> None:
    with pytest.raises(BuildFailed, match=r"Pyodide has Python 3\.13\.1, the wheels are for 3\.14"):
        rewritten(json.dumps({"info": {"python": "3.13.1"}}).encode(), PINS, KERNEL)


def test_what_is_pinned_needs_nothing_that_is_neither_pinned_nor_in_the_kernels_own_package() -> None:
    known = {wheel.name for wheel in pins().wheels} | {"widgetsnbextension", "piplite", "pyodide-kernel", "ipykernel"}
    assert {need for wheel in pins().wheels for need in wheel.depends} <= known
    assert set(AT_START) <= known


def test_everything_is_pinned_by_hash_and_nothing_but_pure_python() -> None:
    wheels = pins().wheels
    assert all(len(wheel.sha256) == 64 and wheel.file.endswith("-none-any.whl") for wheel in wheels)
    assert pins().core.integrity.startswith("sha512-")
    assert pins().requirements().count("--hash=sha256:") == len(wheels)


def test_names_are_normalized() -> None:
    assert normalized("Prompt__Toolkit.x") == "prompt-toolkit-x"
