"""Text that goes through a stranger's hands and must come back unchanged: cookies, and addresses that open a door.

A signature is made with a key of its own for each purpose, so that what was signed for one is nothing for another.
What is signed is not secret; anybody can read it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from binascii import Error as NotBase64


class Signer:
    """Signs with a secret. Whoever has the same secret understands it: another copy, or this one started again."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def signature(self, purpose: str, text: str) -> str:
        """The signature alone, in URL-safe letters."""
        key = hmac.digest(self._secret, f"amalthea nbviewer {purpose}".encode(), hashlib.sha256)
        return _letters(hmac.digest(key, text.encode(errors="surrogatepass"), hashlib.sha256))

    def fits(self, purpose: str, text: str, signature: str) -> bool:
        """Whether it is the signature of this text; takes as long for every wrong one."""
        expected = self.signature(purpose, text)
        return hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))

    def signed(self, purpose: str, text: str) -> str:
        """The text with its signature, as a cookie may hold it."""
        return f"{_letters(text.encode(errors='surrogatepass'))}.{self.signature(purpose, text)}"

    def opened(self, purpose: str, signed: str) -> str | None:
        """The text that was signed, or None where this is not what was signed."""
        letters, _, signature = signed.partition(".")
        try:
            text = base64.urlsafe_b64decode(letters.encode() + b"==").decode(errors="surrogatepass")
        except (NotBase64, UnicodeError):
            return None
        return text if self.fits(purpose, text, signature) else None


def _letters(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()
