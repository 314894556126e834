"""Structs as JSON and back, amounts included; the same struct always gives the same text."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from amalthea.model.units import ByteSize, Duration

T = TypeVar("T")


def encode_amount(value: Any) -> Any:
    """The encoding hook: amounts as people write them, unrounded."""
    if isinstance(value, Duration | ByteSize):
        return value.exact()
    raise TypeError(f"cannot encode a {type(value).__name__}")


def decode_amount(kind: type[Any], value: Any) -> Any:
    """The decoding hook: amounts from what people write. Raises `ValueError`, with what is allowed."""
    if issubclass(kind, Duration | ByteSize) and isinstance(value, str):
        return kind.parse(value)
    raise ValueError(getattr(kind, "allowed", f"cannot decode a {kind.__name__}"))


def encode(value: Any) -> str:
    """A struct, or a list or mapping of them, as JSON."""
    return msgspec.json.encode(value, enc_hook=encode_amount, order="deterministic").decode()


def decode(text: str | bytes, kind: type[T]) -> T:
    """A struct from JSON. Raises `msgspec.ValidationError`."""
    return msgspec.json.decode(text, type=kind, dec_hook=decode_amount)


def builtins(value: Any) -> Any:
    """A struct as plain dicts, lists and scalars."""
    return msgspec.to_builtins(value, enc_hook=encode_amount, order="deterministic")


def convert(value: Any, kind: type[T]) -> T:
    """A struct from plain dicts, lists and scalars. Raises `msgspec.ValidationError`."""
    return msgspec.convert(value, kind, dec_hook=decode_amount)
