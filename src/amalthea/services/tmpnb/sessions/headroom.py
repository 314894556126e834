"""How much memory the machine has left: sessions share it with everything else that runs there."""

from __future__ import annotations

import psutil


class Headroom:
    """Lets nobody in while less than `spare` bytes would be free."""

    def __init__(self, spare: int) -> None:
        self._spare = spare

    @property
    def enough(self) -> bool:
        """Whether one more session can be started."""
        return psutil.virtual_memory().available > self._spare
