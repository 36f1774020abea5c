"""What goes into the functions of a plugin, and what comes out."""

from __future__ import annotations

from ._values import from_json, plain_bytes, taken_apart, to_bytes, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple

    from ._handlers import Action
    from .plugin import Plugin

INFO, VALIDATE_CONFIG, INIT, HEALTH, GET_CONFIG, CONFIG_CHANGED = 0, 1, 2, 6, 8, 9
EVENT, DEPENDENCY_CHANGED, EXPORT_STATE, IMPORT_STATE, MIGRATE, MIGRATE_BACK = 10, 11, 12, 13, 14, 15


def action_input(action: "Action", body: bytes) -> "Any":
    """An action's input. Raises :class:`Refused` ``invalid_input``."""
    return body if action.raw else taken_apart(body)


def action_output(action: "Action", answer: "Any") -> bytes:
    """What an action answered, as bytes. Raises TypeError for what cannot go out."""
    if action.raw:
        return plain_bytes(answer, f"the answer of the raw action {action.name}")
    return to_bytes(answer)


def chunk(item: "Any") -> bytes:
    """An item of a generator. Raises TypeError."""
    return plain_bytes(item, "a chunk")


def is_chunks(answer: "Any") -> bool:
    """Whether an answer is made piece by piece."""
    return hasattr(type(answer), "__next__")


def is_async_chunks(answer: "Any") -> bool:
    """The same of asynchronous ones."""
    return hasattr(type(answer), "__aiter__")


def hook_input(number: int, body: bytes) -> "Tuple[Any, ...]":
    """A hook's arguments before ``ctx``."""
    if number in (VALIDATE_CONFIG, INIT, CONFIG_CHANGED):
        return (from_json(body) or {},)
    if number == EVENT:
        return (from_json(body),)
    if number == DEPENDENCY_CHANGED:
        given = from_json(body) or {}
        return (given.get("id"), given.get("available"))
    if number == IMPORT_STATE:
        return (body,)
    if number in (MIGRATE, MIGRATE_BACK):
        head, _, state = body.partition(b"\n")
        return ((from_json(head) or {}).get("from"), state)
    return ()


def hook_output(number: int, answer: "Any") -> bytes:
    """What a hook answered, as bytes."""
    if number == HEALTH:
        return to_json(health(answer))
    if number in (INFO, GET_CONFIG):
        return to_json({} if answer is None else answer)
    if number in (EXPORT_STATE, MIGRATE, MIGRATE_BACK):
        return plain_bytes(answer, "a state")
    if number == EVENT:
        return to_bytes(answer)
    return b""


def health(answer: "Any") -> "Dict[str, Any]":
    """``{status, details}`` of what ``on_health_check`` gave: that, a status alone, or None for healthy."""
    if answer is None:
        return {"status": "healthy"}
    if isinstance(answer, str):
        answer = {"status": answer}
    if not isinstance(answer, dict) or answer.get("status") not in ("healthy", "degraded", "unhealthy"):
        raise TypeError(f"on_health_check answered {answer!r} instead of healthy, degraded or unhealthy")
    return answer


def info(plugin: "Plugin", more: "Any") -> "Dict[str, Any]":
    """What the plugin says of itself."""
    actions = [action.facts for action in plugin._actions.values()]
    return {**plugin._info, **(more or {}), "actions": actions}
