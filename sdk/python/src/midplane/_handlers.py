"""Functions of a plugin, as the SDK calls them."""

from __future__ import annotations

import sys

from ._frames import HOOKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

_VARARGS, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x80, 0x200

# Python's names of the hooks, in the contract's order, and how many arguments each is given.
HOOK_NAMES = ("info", "on_validate_config", "on_init", "on_start", "on_stop", "on_cleanup", "on_health_check", "ping",
              "get_config", "on_config_changed", "on_event", "on_dependency_changed", "export_state", "import_state",
              "migrate", "migrate_back")
HOOK_ARGUMENTS = (1, 2, 2, 1, 1, 1, 1, 1, 1, 2, 2, 3, 1, 2, 3, 3)


class Handler:
    """One function with its manner: called with exactly as many arguments as it was made for."""

    __slots__ = ("run", "is_async", "function")

    def __init__(self, function: Callable[..., Any], arguments: int, what: str) -> None:
        self.function = function
        self.run = _fitted(function, arguments, what)
        self.is_async = _is_async(function)


class Action:
    """An action of a plugin."""

    __slots__ = ("name", "run", "is_async", "raw", "facts")

    def __init__(self, name: str, function: Callable[..., Any], raw: bool, facts: "dict[str, Any]") -> None:
        if not isinstance(name, str) or not name or len(name) > 128:
            raise ValueError(f"{name!r} cannot be the name of an action")
        handler = Handler(function, 2, f"the action {name}")
        self.name, self.run, self.is_async, self.raw = name, handler.run, handler.is_async, raw
        self.facts = {"name": name, **{key: value for key, value in facts.items() if value not in (None, False)}}
        if "description" not in self.facts:
            first = _first_line(function)
            if first:
                self.facts["description"] = first


def hook_number(name: str) -> "Optional[int]":
    """The number of a hook by Python's name or the contract's."""
    if name in HOOK_NAMES:
        return HOOK_NAMES.index(name)
    return HOOKS.index(name) if name in HOOKS else None


def _first_line(function: Any) -> str:
    text = getattr(function, "__doc__", None)
    return text.strip().partition("\n")[0].strip() if isinstance(text, str) else ""


def _code_of(function: Any) -> "tuple[Any, int]":
    """The code object and how many arguments it is given already."""
    bound = 0
    inner = getattr(function, "__func__", None)
    if inner is not None:
        function, bound = inner, 1
    return getattr(function, "__code__", None), bound


def _is_async(function: Any) -> bool:
    while "functools" in sys.modules and isinstance(function, sys.modules["functools"].partial):
        function = function.func
    code, _ = _code_of(function)
    if code is None:
        code, _ = _code_of(getattr(type(function), "__call__", None))
    return bool(code and code.co_flags & (_COROUTINE | _ASYNC_GENERATOR))


def _fitted(function: Any, arguments: int, what: str) -> "Callable[..., Any]":
    """The function as one that takes exactly so many arguments; those it does not name are left out."""
    if not callable(function):
        raise TypeError(f"{what} is no function but a {type(function).__name__}")
    takes = _takes(function, arguments, what)
    if takes == arguments:
        return function
    if takes == 0:
        return lambda *_: function()
    if takes == 1:
        return lambda first, *_: function(first)
    return lambda *given: function(*given[:takes])


def _takes(function: Any, arguments: int, what: str) -> int:
    code, bound = _code_of(function)
    if code is None:
        return _takes_by_signature(function, arguments)
    if code.co_flags & _VARARGS:
        return arguments
    named = code.co_argcount - bound
    needed = named - len(getattr(function, "__defaults__", None) or ())
    if needed > arguments:
        raise TypeError(f"{what} wants {needed} arguments, but is given {arguments}")
    return min(named, arguments)


def _takes_by_signature(function: Any, arguments: int) -> int:
    import inspect

    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return arguments
    if any(one.kind is one.VAR_POSITIONAL for one in found):
        return arguments
    return min(arguments, sum(one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in found))
