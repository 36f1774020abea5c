"""Serves one plugin: what the host asks, answered in turn on the main thread."""

from __future__ import annotations

import os
import sys

from . import _limits, _module
from ._failures import encoded, record
from ._frames import (
    ABSENT, CALL, CONNECTION, DATA, DONE, HOOK, HOOKS, LOAD, MORE, NO_DEADLINE, OPEN, STREAM, Breach,
)
from ._line import Line
from ._plugin_code import (
    CONFIG_CHANGED, INFO, INIT, action_input, action_output, chunk, hook_input, hook_output, info, is_chunks,
)
from ._values import Refused, to_json
from ._watch import Watch
from ._wire import parsed
from .context import Context, Identity
from .errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List

    from ._handlers import Action
    from ._wire import Request
    from .plugin import Plugin


class Session(Line):
    """The plugin and its one instance."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self.watch = Watch(self)
        self.plugin: "Any" = None
        self.actions: "List[Action]" = []
        self.memory_limit: "Any" = None
        self.opened = False
        self.coroutines = False
        self.task: "Any" = None  # of the coroutine that runs, see `_loop.py`
        self.more: "Any" = None  # an asyncio.Event: more may be sent

    def serve(self) -> None:
        """Until the host says so: then SystemExit."""
        try:
            self.greet()
            while not self.coroutines:
                self.handle(self.next())
            from ._loop import run

            run(self)
        except Breach as why:
            self.fail(why)

    def fail(self, why: Breach) -> None:
        """Ends the process: the host broke the protocol."""
        print(f"midplane: the host broke the protocol: {why}", file=sys.stderr, flush=True)
        self.refuse(CONNECTION << 32, "protocol_error", str(why))
        os._exit(1)

    def next(self) -> Request:
        """Waits for a request."""
        waiting = self.waiting
        while not waiting:
            with self.reading:
                if not waiting:
                    self.fill()
        return waiting.pop(0)

    def handle(self, request: Request) -> None:
        """Does what is asked, and answers."""
        kind = request[0]
        self.turn = key = request[2] << 32 | request[3]
        if self.cancelled == key:
            self.cancelled = 0  # Another request had this id, two thousand million ago.
        try:
            if kind == CALL:
                self.call(key, request)
            elif kind == HOOK:
                self.hook(key, request)
            else:
                self.answer(key, self.prepare(kind, request))
        except (Breach, SystemExit):
            raise
        except BaseException as why:
            self.cancellable = False
            self.send_error(key, encoded(record(why, self.memory_limit)))
        finally:
            self.turn = self.watch.watched = 0

    # Calls and hooks.

    def call(self, key: int, request: Request) -> None:
        """Runs a synchronous action."""
        action = self.action(request)
        self.watch.begin(key)
        given = action_input(action, request[7])
        context = Context(self, key, action.name, request[6], request[5])
        answer = self.plugins_own(action.run, given, context)
        if answer.__class__ is not bytes:
            if is_chunks(answer):
                return self.stream(key, request[1] & STREAM, answer)
            answer = action_output(action, answer)
        self.answer(key, answer)

    def action(self, request: Request) -> Action:
        """The action that a call names. Raises :class:`Refused`."""
        if not self.opened or request[2] != 0:
            raise Refused("not_loaded", f"instance {request[2]} is not open")
        try:
            return self.actions[request[4]]
        except IndexError:
            raise Refused("action_not_found", f"there is no action {request[4]}") from None

    def hook(self, key: int, request: Request) -> None:
        """Runs a synchronous hook."""
        number = request[4]
        handler = self.handler(request)
        given = hook_input(number, request[7])
        answer = None
        if handler is not None:
            self.watch.begin(key)
            answer = self.plugins_own(handler.run, *given, Context(self, key, None, request[6], request[5]))
        self.hooked(number, given)
        absent = handler is None and number not in (INIT, CONFIG_CHANGED)
        self.answer(key, b"" if handler is None else hook_output(number, answer), ABSENT if absent else 0)

    def handler(self, request: Request) -> Any:
        """The hook that is asked for; None where the plugin has none. Raises :class:`Refused`."""
        if not self.opened or request[2] != 0:
            raise Refused("not_loaded", f"instance {request[2]} is not open")
        return self.plugin._hooks.get(request[4])

    def hooked(self, number: int, given: Any) -> None:
        """After a hook that did not fail."""
        if number in (INIT, CONFIG_CHANGED):
            self.config = given[0]

    def plugins_own(self, run: Callable[..., Any], *given: Any) -> Any:
        """Runs code of the plugin: here, and nowhere else, a cancellation may interrupt."""
        self.cancellable = True
        try:
            if self.cancelled == self.turn:
                raise Cancelled
            return run(*given)
        finally:
            self.cancellable = False

    # Answers.

    def answer(self, key: int, body: bytes, flags: int = 0) -> None:
        """Sends a whole answer."""
        if len(body) <= self.chunk:
            return self.send(DONE, key, body, flags)
        self.credit[key] = self.window
        self.pieces(key, body)
        self.credit.pop(key, None)
        self.send(DONE, key)

    def stream(self, key: int, wanted: int, items: Any) -> None:
        """Sends the items of a generator, each as it is made; together where the host wants no stream."""
        following = iter(items).__next__
        self.credit[key] = self.window
        held = bytearray()
        try:
            while True:
                try:
                    piece = chunk(self.plugins_own(following))
                except StopIteration:
                    break
                if wanted:
                    self.pieces(key, piece)
                    continue
                held += piece
                if len(held) >= self.chunk:
                    self.pieces(key, bytes(held))
                    held.clear()
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
        self.pieces(key, bytes(held))
        self.credit.pop(key, None)
        self.send(DONE, key)

    def pieces(self, key: int, body: bytes) -> None:
        """Sends bytes of an answer that goes on, as credit allows. Raises Cancelled."""
        at = 0
        while at < len(body):
            if self.credit[key] <= 0:
                self.until(lambda: self.credit[key] > 0 or self.is_given_up())
            if self.is_given_up():
                raise Cancelled
            at += self.piece(key, body, at)

    def piece(self, key: int, body: bytes, at: int) -> int:
        """Sends one frame of it."""
        size = min(self.chunk, self.credit[key], len(body) - at)
        self.credit[key] -= size
        self.send(DATA, key, body[at : at + size], MORE)
        return size

    # What is heard meanwhile.

    def cancel(self, key: int) -> None:
        if key != self.turn:
            return super().cancel(key)
        self.cancelled = key
        if self.task is not None:
            self.loop.call_soon_threadsafe(self.task.cancel)

    def credited(self, key: int) -> None:
        if self.more is not None:
            self.loop.call_soon_threadsafe(self.more.set)

    # LOAD, OPEN, CLOSE.

    def prepare(self, kind: int, request: Request) -> bytes:
        """What comes before and after calls."""
        if kind == LOAD:
            return to_json(self.load(parsed("LOAD", request[7])))
        if kind == OPEN:
            self.open(request)
        else:
            self.opened = False
        return b""

    def open(self, request: Request) -> None:
        if self.plugin is None:
            raise Refused("not_loaded", "no plugin is loaded", "LOAD one first")
        if request[2] != 0 or self.identity.id:
            raise Refused("not_supported", "a Python process hosts one instance", "start another process")
        about = parsed("OPEN", request[6])
        self.identity = Identity(about.get("plugin", ""), about.get("version", ""), about.get("generation", 0), 0)
        self.opened = True

    def load(self, load: Any) -> Any:
        """Runs the plugin's file and says what it offers."""
        if self.plugin is not None:
            raise Refused("already_loaded", "this process hosts a plugin already", "start another")
        limits = load.get("limits") or {}
        self.memory_limit = limits.get("memory")
        _limits.apply(limits)
        main, folder = load["main"], load.get("folder", "")
        self.plugin, _ = _module.load(main)
        self.actions = list(self.plugin._actions.values())
        hooks = self.plugin._hooks
        self.coroutines = any(one.is_async for one in [*self.actions, *hooks.values()])
        more = None
        if INFO in hooks and not hooks[INFO].is_async:
            more = hooks[INFO].run(Context(self, 0, None, b"", NO_DEADLINE))
        # Of these two the SDK makes use itself: `ctx.config`.
        named = [HOOKS[number] for number in sorted({INIT, CONFIG_CHANGED, *hooks})]
        version = ".".join(map(str, sys.version_info[:3]))
        return {"info": info(self.plugin, more), "actions": [action.name for action in self.actions], "hooks": named,
                "build_id": _module.build_id(main, folder), "details": {"python": version, "prefix": sys.prefix}}
