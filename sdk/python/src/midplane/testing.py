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
from ._bench_host import Asked, BenchHost
from ._frames import HOOKS, NO_DEADLINE
from ._handlers import hook_number
from ._plugin_code import (
    CONFIG_CHANGED, EVENT, EXPORT_STATE, GET_CONFIG, HEALTH, INFO, INIT, MIGRATE, MIGRATE_BACK, action_input, action_output,
    chunk, hook_input, hook_output, info, is_async_chunks, is_chunks,
)
from ._values import Refused, from_json, to_bytes, to_json
from .context import AsyncContext, Context
from .errors import PluginError
from .plugin import Plugin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Dict, List, Optional, Union

_CALL = 1


class Bench:
    """One instance of a plugin on a test bench, on which no hook has run.

    ``plugin``: a module, a :class:`Plugin`, or the path of a file. ``config``: what ``ctx.config`` gives before the first
    ``on_init``. State (in memory), configuration, log, clocks, chance, publishing, subscribing and metrics are answered as
    a host does, and everything else with ``not_supported`` until :meth:`answer` says more.
    """

    def __init__(
        self, plugin: "Union[Plugin, ModuleType, str]", config: "Optional[Dict[str, Any]]" = None, **identity: Any
    ) -> None:
        if isinstance(plugin, str):
            plugin, _ = _module.load(plugin)
        self.plugin: Plugin = plugin if isinstance(plugin, Plugin) else _module.find(plugin)
        self.host = BenchHost(config or {}, identity)
        self._loop: Any = None
        self._origin = b""

    def answer(self, function: str, answer: Any) -> "Bench":
        """What the host answers to a function: a value, an exception (:class:`midplane.HostError`), or a function of
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
        self, action: str, input: Any = None, deadline: "Optional[float]" = None, cancelled: bool = False,
        caller: "Optional[List[Dict[str, str]]]" = None, trace: "Optional[str]" = None,
    ) -> Any:
        """Calls an action and gives its answer: parsed JSON, or bytes where it is none; None for no bytes.

        ``deadline``: seconds that ``ctx`` says are left. ``cancelled``, ``caller``, ``trace``: what ``ctx`` says of them.
        Raises what the action raises; :class:`PluginError` ``action_not_found`` and ``invalid_input``.
        """
        body = self.call_raw(action, to_bytes(input), deadline, cancelled, caller, trace)
        try:
            return from_json(body)
        except ValueError:
            return body

    def call_raw(
        self, action: str, input: bytes = b"", deadline: "Optional[float]" = None, cancelled: bool = False,
        caller: "Optional[List[Dict[str, str]]]" = None, trace: "Optional[str]" = None,
    ) -> bytes:
        """The same with bytes both ways."""
        return b"".join(self.stream(action, input, deadline, cancelled, caller, trace))

    def stream(
        self, action: str, input: bytes = b"", deadline: "Optional[float]" = None, cancelled: bool = False,
        caller: "Optional[List[Dict[str, str]]]" = None, trace: "Optional[str]" = None,
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
        self._origin = to_json({"caller": caller or [], "trace": trace})
        try:
            answer = self._run(found, action, milliseconds, given)
        finally:
            self._origin = b""
        if is_async_chunks(answer):
            answer = self._await(_collected(answer))
        if isinstance(answer, list) and found.is_async and answer and isinstance(answer[0], _Chunk):
            return [chunk(item.value) for item in answer]
        if is_chunks(answer):
            return [chunk(item) for item in answer]
        return [action_output(found, answer)]

    def hook(self, name: str, *given: Any) -> Any:
        """Runs a hook, by Python's name or the contract's, with what comes before ``ctx``; None where there is none.

        Answers are as the host gets them: ``{"status", "details"?}``, the configuration, bytes of a state or of the answer to
        an event; None for an event that is not answered.
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
        if number == EVENT:
            return body or None
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
        answer = work.run(*given, kind(self.host, _CALL, action, self._origin, milliseconds))
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
