"""Payloads are bytes; ordinary actions take and give JSON."""

from __future__ import annotations

from ._json_text import decode, encode
from .errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


class Refused(Exception):
    """The SDK itself refuses a request; code and message go to the host as they are."""

    def __init__(self, code: str, message: str, remedy: Optional[str] = None) -> None:
        super().__init__(code, message)
        self.code, self.message, self.remedy = code, message, remedy


def to_json(value: Any) -> bytes:
    """``value`` as JSON. Raises TypeError or ValueError for what JSON cannot say (NaN too)."""
    text = encode(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate is no UTF-8, but JSON can escape it.
        import json

        return json.dumps(value, allow_nan=False).encode()


def from_json(body: bytes) -> Any:
    """The value; None for no bytes. Raises ValueError."""
    return decode(str(body, "utf-8")) if body else None


def to_bytes(value: Any) -> bytes:
    """What a plugin gives: None is no bytes, bytes are as they are, everything else is JSON."""
    if value is None:
        return b""
    if type(value) is bytes:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return to_json(value)


def plain_bytes(value: Any, what: str) -> bytes:
    """What has to be bytes or text already. Raises TypeError."""
    if isinstance(value, str):
        return value.encode()
    if value is None:
        return b""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"{what} must be bytes or text, not {type(value).__name__}")


def taken_apart(body: bytes) -> Any:
    """An action's input. Raises :class:`Refused` where it is not JSON."""
    try:
        return from_json(body)
    except (ValueError, RecursionError) as why:
        raise Refused("invalid_input", f"the input is not JSON: {why}", "send JSON, or nothing") from None


def reply_of(what: str, body: bytes) -> Any:
    """What somebody answered, taken as JSON. Raises :class:`PluginError` ``invalid_reply``."""
    try:
        return from_json(body)
    except (ValueError, RecursionError) as why:
        raise PluginError("invalid_reply", f"the answer of {what} is not JSON: {why}") from None
