"""A plugin's line to its host: questions and their answers, cancellation."""

from __future__ import annotations

import time
from _thread import allocate_lock, get_ident

from ._frames import ASKS, DATA, DONE, ERROR, FUNCTIONS, HEADER, HOST, MORE, NO_DEADLINE, PAYLOAD
from ._values import from_json
from ._wire import Incoming, Wire
from .context import Identity
from .errors import Cancelled, HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional

    Decode = Callable[[bytes], Any]

# Log lines on their way before whoever logs waits for the host to take some.
LINES = 64


class Question(Incoming):
    """Something asked of the host."""

    __slots__ = ("over", "body", "error", "lock", "future")

    def __init__(self) -> None:
        super().__init__(None)
        self.over = False
        self.body = b""
        self.error: "Optional[HostError]" = None
        # Who waits: a thread that may not read, or a coroutine.
        self.lock: Any = None
        self.future: Any = None

    def result(self, decode: Decode, none: str) -> Any:
        """What the host answered; None where that is an error with the code ``none``. Raises HostError."""
        if self.error is None:
            return decode(self.body)
        if self.error.code == none:
            return None
        raise self.error


def host_error(body: bytes) -> HostError:
    """The host's error record."""
    try:
        record = from_json(body)
        return HostError(record["code"], record["message"], bool(record.get("recoverable")), record.get("data"),
                         record.get("remedy"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return HostError("protocol_error", f"the host's error cannot be read: {body[:200]!r}")


class Line(Wire):
    """A wire on which the plugin asks its host."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self.main = get_ident()
        self.asks: "Dict[int, Question]" = {}
        self.asking = allocate_lock()
        self.last_id = 0
        self.identity = Identity("", "", 0, 0)
        self.config: "Dict[str, Any]" = {}
        self.cancelled = 0  # the key of the request that was cancelled last
        self.cancellable = False  # whether the main thread is in the plugin's own code
        self.loop: Any = None

    def is_cancelled(self, call: int) -> bool:
        """Whether the host has given this call up."""
        return self.cancelled == call

    def is_given_up(self) -> bool:
        """Whether the request that runs is one that the host has given up."""
        return self.turn != 0 and self.cancelled == self.turn

    def until(self, holds: Callable[[], Any]) -> None:
        """Reads, on the main thread, until something holds."""
        while True:
            with self.reading:
                if holds():
                    return
                self.fill()

    # Synchronous questions.

    def ask(self, function: int, args: bytes, payload: bytes, decode: Decode, none: str = "") -> Any:
        """Asks and waits for the answer. Raises HostError; in a cancelled call Cancelled."""
        if get_ident() != self.main:
            question = self._question()
            question.lock = allocate_lock()
            question.lock.acquire()
            self._put(question, function, args, payload, _wait_a_little)
            question.lock.acquire()
            return question.result(decode, none)
        # While the SDK is at work here, no signal may tear it away: see `_watch.py`.
        was, self.cancellable = self.cancellable, False
        try:
            question = self._question()
            self._put(question, function, args, payload, self.until)
            self.until(lambda: question.over or (was and self.is_given_up()))
            if was and self.is_given_up():
                raise Cancelled
        finally:
            self.cancellable = was
        return question.result(decode, none)

    def log(self, args: bytes) -> None:
        """Writes to the log without waiting for the answer, unless many are on their way. Never fails."""
        main = get_ident() == self.main
        was = self.cancellable
        if main:
            self.cancellable = False
        try:
            if len(self.asks) >= LINES:
                wait = self.until if main else _wait_a_little
                wait(lambda: len(self.asks) < LINES)
            # A line too long for a header is cut by leaving its fields out.
            if len(args) > HEADER:
                line = from_json(args)
                args = _short(line)
            self._put(self._question(), 0, args, b"", None)
        except HostError:
            pass
        finally:
            if main:
                self.cancellable = was

    def _question(self) -> Question:
        if len(self.asks) >= ASKS:
            raise HostError("overloaded", f"{ASKS} questions wait for the host", True)
        return Question()

    def _put(self, question: Question, function: int, args: bytes, payload: bytes, wait: Any) -> None:
        """Sends the question, in pieces where it has to be."""
        key = self._begin(question, function, args, payload)
        if len(payload) <= self.chunk:
            return self.send(HOST, key, payload, 0, function, args, NO_DEADLINE)
        at, kind = 0, HOST
        self.credit[key] = self.window
        while at < len(payload) and not question.over:
            if self.credit[key] <= 0:
                wait(lambda: self.credit[key] > 0 or question.over)
                continue
            at, kind = self._piece(key, function, args, payload, at, kind)
        self.credit.pop(key, None)

    def _begin(self, question: Question, function: int, args: bytes, payload: bytes) -> int:
        if len(args) > HEADER:
            raise HostError("limit_exceeded", f"the arguments of `{FUNCTIONS[function]}` have {len(args)} bytes, more than {HEADER}")
        if len(payload) > PAYLOAD:
            raise HostError("limit_exceeded", f"the payload of `{FUNCTIONS[function]}` has {len(payload)} bytes, more than {PAYLOAD}")
        with self.asking:
            self.last_id = key = self.last_id % 0x7FFF_FFF0 + 2
        self.asks[key] = question
        return key

    def _piece(self, key: int, function: int, args: bytes, payload: bytes, at: int, kind: int) -> "tuple[int, int]":
        size = min(self.chunk, self.credit[key], len(payload) - at)
        self.credit[key] -= size
        more = MORE if at + size < len(payload) else 0
        if kind == HOST:
            self.send(HOST, key, payload[at : at + size], more, function, args, NO_DEADLINE)
        else:
            self.send(DATA, key, payload[at : at + size], more)
        return at + size, DATA

    # Questions of coroutines.

    async def ask_async(self, function: int, args: bytes, payload: bytes, decode: Decode, none: str = "") -> Any:
        """Asks and awaits the answer. What was begun is sent to its end, even if the asking task is cancelled."""
        import asyncio

        question = self._question()
        question.future = asyncio.get_running_loop().create_future()
        if len(payload) <= self.chunk:
            self._put(question, function, args, payload, None)
        else:
            await asyncio.shield(self._put_async(question, function, args, payload))
        await question.future
        return question.result(decode, none)

    async def _put_async(self, question: Question, function: int, args: bytes, payload: bytes) -> None:
        import asyncio

        key = self._begin(question, function, args, payload)
        at, kind = 0, HOST
        self.credit[key] = self.window
        while at < len(payload) and not question.over:
            if self.credit[key] <= 0:
                await asyncio.sleep(0.001)
                continue
            at, kind = self._piece(key, function, args, payload, at, kind)
        self.credit.pop(key, None)

    # Answers.

    def answered(self, key: int, kind: int, flags: int, payload: bytes) -> None:
        question = self.asks.get(key)
        if question is None:
            return
        if kind == ERROR:
            question.error = host_error(payload)
            return self._finish(key, question)
        question.add(payload)
        if kind == DONE:
            question.body = payload if len(question.parts) == 1 else b"".join(question.parts)
            return self._finish(key, question)
        self.give_room(key, question)

    def _finish(self, key: int, question: Question) -> None:
        del self.asks[key]
        question.over = True
        if question.lock is not None:
            question.lock.release()
        future = question.future
        if future is None:
            return
        if get_ident() == self.main:
            _settle(future)
        else:
            self.loop.call_soon_threadsafe(_settle, future)


def _settle(future: Any) -> None:
    if not future.done():
        future.set_result(None)


def _wait_a_little(holds: Callable[[], Any]) -> None:
    """For threads that may not read: somebody else does."""
    while not holds():
        time.sleep(0.001)


def _short(line: "Dict[str, Any]") -> bytes:
    from ._api import arguments

    return arguments(level=line.get("level"), message=str(line.get("message"))[: HEADER // 8])
