"""Drives a plugin in a unit test, without a host.

::

    from midplane.testing import Bench

    import plugin

    def test_it_greets():
        bench = Bench(plugin)
        assert bench.call("greet", {"name": "Ada"}) == {"hello": "Ada"}

Inputs and answers pass through the same encoding as in a host, so what would not be JSON there is not here either.
"""

from __future__ import annotations

from . import _module
from ._api import NUMBERS
from ._frames import FUNCTIONS, HOOKS, NO_DEADLINE
from ._handlers import hook_number
from ._plugin_code import (
    CONFIG_CHANGED, EXPORT_STATE, GET_CONFIG, HEALTH, INFO, INIT, MIGRATE, MIGRATE_BACK, action_input, action_output,
    chunk, hook_input, hook_output, info, is_async_chunks, is_chunks,
)
from ._values import Refused, from_json, to_bytes, to_json
from .context import AsyncContext, Context, Identity
from .errors import HostError, PluginError
from .plugin import Plugin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Dict, List, Optional, Union

_CALL = 1


class Asked:
    """Something that the plugin asked of the host."""

    def __init__(self, function: str, args: "Dict[str, Any]", payload: bytes) -> None:
        self.function, self.args, self.payload = function, args, payload

    def __repr__(self) -> str:
        return f"Asked({self.function!r}, {self.args!r}, {self.payload!r})"


class Bench:
    """One instance of a plugin on a test bench, on which no hook has run.

    ``plugin``: a module, a :class:`Plugin`, or the path of a file. ``config``: what ``ctx.config`` gives before the first
    ``on_init``. The host that the plugin sees answers ``log`` and ``metrics.*`` with nothing, ``config.get`` with the
    configuration, and everything else with ``not_supported`` until :meth:`answer` says more.
    """

    def __init__(
        self, plugin: "Union[Plugin, ModuleType, str]", config: "Optional[Dict[str, Any]]" = None, **identity: Any
    ) -> None:
        if isinstance(plugin, str):
            plugin, _ = _module.load(plugin)
        self.plugin: Plugin = plugin if isinstance(plugin, Plugin) else _module.find(plugin)
        self.host = _Host(config or {}, identity)
        self._loop: Any = None

    def answer(self, function: str, answer: Any) -> "Bench":
        """What the host answers to a function: a value, an exception (:class:`HostError`), or a function of
        :class:`Asked`. Bytes go as they are, everything else as JSON. The latest answer counts."""
        if function not in NUMBERS:
            raise ValueError(f"the host has no function {function}")
        self.host.answers[function] = answer
        return self

    def asked(self, function: str) -> "List[Asked]":
        """All that the plugin asked of a function so far."""
        return [asked for asked in self.host.asked if asked.function == function]

    def logged(self) -> "List[str]":
        """The messages that the plugin has logged."""
        return [asked.args["message"] for asked in self.asked("log")]

    def call(
        self, action: str, input: Any = None, deadline: "Optional[float]" = None, cancelled: bool = False
    ) -> Any:
        """Calls an action and gives its answer: parsed JSON, or bytes where it is none; None for no bytes.

        ``deadline``: seconds that ``ctx`` says are left. ``cancelled``: what ``ctx.cancelled`` says.
        Raises what the action raises; :class:`PluginError` ``action_not_found`` and ``invalid_input``.
        """
        body = self.call_raw(action, to_bytes(input), deadline, cancelled)
        try:
            return from_json(body)
        except ValueError:
            return body

    def call_raw(
        self, action: str, input: bytes = b"", deadline: "Optional[float]" = None, cancelled: bool = False
    ) -> bytes:
        """The same with bytes both ways."""
        return b"".join(self.stream(action, input, deadline, cancelled))

    def stream(
        self, action: str, input: bytes = b"", deadline: "Optional[float]" = None, cancelled: bool = False
    ) -> "List[bytes]":
        """The chunks of an answer; one, where it is not made in chunks."""
        found = self.plugin._actions.get(action)
        if found is None:
            raise PluginError("action_not_found", f"the plugin has no action {action}")
        try:
            given = action_input(found, input)
        except Refused as why:
            raise PluginError(why.code, why.message) from None
        milliseconds = NO_DEADLINE if deadline is None else max(0, round(deadline * 1000))
        self.host.cancelled = cancelled
        answer = self._run(found, action, milliseconds, given)
        if is_async_chunks(answer):
            answer = self._await(_collected(answer))
        if isinstance(answer, list) and found.is_async and answer and isinstance(answer[0], _Chunk):
            return [chunk(item.value) for item in answer]
        if is_chunks(answer):
            return [chunk(item) for item in answer]
        return [action_output(found, answer)]

    def hook(self, name: str, *given: Any) -> Any:
        """Runs a hook, by Python's name or the contract's, with what comes before ``ctx``; None where there is none.

        Answers are as the host gets them: ``{"status", "details"?}``, the configuration, bytes of a state.
        """
        number = hook_number(name)
        if number is None:
            raise ValueError(f"there is no hook {name}; there are {', '.join(HOOKS)}")
        handler = self.plugin._hooks.get(number)
        answer = None
        if handler is not None:
            answer = self._run(handler, None, NO_DEADLINE, *_through_json(number, given))
        if number in (INIT, CONFIG_CHANGED):
            self.host.config = dict(given[0]) if given and given[0] else {}
        if handler is None:
            return None
        body = hook_output(number, answer)
        if number in (INFO, HEALTH, GET_CONFIG):
            return from_json(body)
        return body if number in (EXPORT_STATE, MIGRATE, MIGRATE_BACK) else None

    def info(self) -> "Dict[str, Any]":
        """What the plugin says of itself, with its actions."""
        return info(self.plugin, self.hook("info"))

    def close(self) -> None:
        """Ends the event loop of a plugin that has coroutines."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _run(self, work: Any, action: "Optional[str]", milliseconds: int, *given: Any) -> Any:
        kind = AsyncContext if work.is_async else Context
        answer = work.run(*given, kind(self.host, _CALL, action, b"", milliseconds))
        if work.is_async and not is_async_chunks(answer):
            answer = self._await(answer)
        return answer

    def _await(self, coroutine: Any) -> Any:
        import asyncio

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(coroutine)


class _Chunk:
    def __init__(self, value: Any) -> None:
        self.value = value


async def _collected(items: Any) -> "List[_Chunk]":
    return [_Chunk(item) async for item in items]


def _through_json(number: int, given: Any) -> Any:
    """What a hook gets of what the test gave: as if it had come over the wire."""
    head = {**dict.fromkeys((1, 2, 9, 10), lambda value: to_json(value)), 13: bytes}
    encode = head.get(number)
    return hook_input(number, encode(given[0])) if encode and given else given


class _Host:
    """The host that a plugin on the bench sees."""

    def __init__(self, config: "Dict[str, Any]", identity: "Dict[str, Any]") -> None:
        self.config = config
        self.identity = Identity(**{"id": "test", "version": "0.0.0", "generation": 1, "instance": 0, **identity})
        self.answers: "Dict[str, Any]" = {}
        self.asked: "List[Asked]" = []
        self.cancelled = False

    def is_cancelled(self, _: int) -> bool:
        return self.cancelled

    def log(self, args: bytes) -> None:
        self.asked.append(Asked("log", from_json(args), b""))

    def ask(self, function: int, args: bytes, payload: bytes, decode: "Callable[[bytes], Any]") -> Any:
        name = FUNCTIONS[function] if function < len(FUNCTIONS) else "unknown"
        asked = Asked(name, from_json(args) or {}, bytes(payload))
        self.asked.append(asked)
        return decode(self._answer(asked))

    async def ask_async(self, *given: Any) -> Any:
        return self.ask(*given)

    def _answer(self, asked: Asked) -> bytes:
        if asked.function not in self.answers:
            if asked.function == "config.get":
                key = asked.args.get("key")
                return to_json(self.config if key is None else self.config.get(key))
            if asked.function.startswith("metrics."):
                return b""
            raise HostError("not_supported", f"the test bench has no answer to {asked.function}")
        answer = self.answers[asked.function]
        if callable(answer) and not isinstance(answer, type):
            answer = answer(asked)
        if isinstance(answer, BaseException):
            raise answer
        return to_bytes(answer)
