"""The `amalthea` command: parse, open resources, print, exit. What it does is decided on the floors below."""

from amalthea.cli.main import main

__all__ = ["main"]
