"""What an exception means to whoever called."""

from __future__ import annotations

from .errors import Cancelled, PluginError
from ._values import Refused, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Characters of a message, and of a stack. An error goes in one frame, and its reader wants the end of the stack.
MESSAGE, STACK, RECORD = 4_096, 8_192, 60_000


def record(why: BaseException, memory_limit: "int | None" = None) -> "dict[str, Any]":
    """The error record that the wire carries."""
    if isinstance(why, Refused):
        found = {"code": why.code, "message": why.message}
        return {**found, "remedy": why.remedy} if why.remedy else found
    if isinstance(why, PluginError):
        data = {"code": str(why.code), "message": str(why.message), "recoverable": bool(why.recoverable)}
        if why.data is not None:
            data["data"] = why.data
        return {"code": "plugin_error", "message": why.message, "recoverable": bool(why.recoverable), "data": data}
    if isinstance(why, Cancelled):
        return {"code": "cancelled", "message": "the host cancelled the call"}
    if isinstance(why, MemoryError):
        found = {"code": "memory_limit", "message": "the plugin was given no more memory",
                 "remedy": "raise limits.memory, or give the plugin less at once"}
        return found if memory_limit is None else {**found, "data": {"limit": memory_limit}}
    return panicked(why)


def panicked(why: BaseException) -> "dict[str, Any]":
    """An exception that nobody meant as an answer."""
    name = type(why).__name__
    try:
        text = str(why)
    except Exception:
        text = "(its text cannot be had)"
    message = f"{name}: {text}" if text else name
    return {"code": "panicked", "message": message[:MESSAGE], "data": {"name": name, "stack": _stack(why)}}


def _stack(why: BaseException) -> str:
    # Costs 10 ms to import, and most plugins never fail.
    import traceback

    try:
        lines = traceback.format_exception(type(why), why, _own(why.__traceback__))
        return "".join(lines)[-STACK:]
    except Exception:
        return ""


def _own(trace: Any) -> Any:
    """The stack from the plugin's first line on: what lies below is the SDK's."""
    here = __file__.rpartition("/")[0]
    at = trace
    while at is not None and at.tb_frame.f_code.co_filename.startswith(here):
        at = at.tb_next
    return at or trace


def encoded(found: "dict[str, Any]") -> bytes:
    """The record as JSON that fits a frame; the data goes where it is too much or no JSON."""
    found = {**found, "message": str(found.get("message", ""))[:MESSAGE]}
    try:
        whole = to_json(found)
        if len(whole) <= RECORD:
            return whole
    except (TypeError, ValueError, RecursionError):
        pass
    data = {key: value for key, value in (found.get("data") or {}).items() if key in ("code", "recoverable")}
    return to_json({**found, "data": {**data, "shortened": True}})
