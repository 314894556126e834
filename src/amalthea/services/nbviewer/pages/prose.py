"""Texts of ours in Markdown, rendered as the text of a notebook is: one renderer, one look."""

from __future__ import annotations

import msgspec

from amalthea.services.nbviewer.render import Rendered, render


def prose(markdown: str) -> Rendered:
    """A text as a page's body, with its headings."""
    cell = {"cell_type": "markdown", "metadata": {}, "source": markdown}
    return render(msgspec.json.encode({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
