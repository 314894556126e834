"""Benchmarks that anyone can run: `python -m benchmarks NAME [--quick] [--check] [--json]`.

Each module here but `report` and `__main__` is one benchmark: a module docstring that says what is compared
with what, and `run(*, quick: bool) -> Report`.
"""
