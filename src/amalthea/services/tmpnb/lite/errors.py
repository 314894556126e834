"""What can go wrong with the notebooks that run in the browser.

LiteError              1  the site is not there
+-- PackageMissing     2  something that it is built from is not installed
+-- BuildFailed        1  a program of the build failed, or gave something else than is known
+-- SiteRefused        1  the built site would ask a third party for something
"""

from __future__ import annotations

from amalthea.model.errors import AmaltheaError, ExitCode


class LiteError(AmaltheaError):
    """The site is not there."""


class PackageMissing(LiteError):
    """Something that the site is built from is not installed."""

    exit_code = ExitCode.USAGE


class BuildFailed(LiteError):
    """A program of the build failed, or gave something else than is known."""


class SiteRefused(LiteError):
    """The built site would ask a third party for something, or lacks something."""
