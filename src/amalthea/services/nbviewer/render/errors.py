"""What `render` raises: one error, for bytes that are no notebook."""

from __future__ import annotations

from amalthea.model.errors import AmaltheaError


class NotANotebook(AmaltheaError):
    """The bytes are not JSON, or JSON that holds no cells. The message says which, for people."""
