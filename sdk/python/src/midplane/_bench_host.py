"""The host that a plugin on a test bench sees."""

from __future__ import annotations

import os
import time

from ._frames import FUNCTIONS
from ._values import from_json, to_bytes, to_json
from .context import Identity
from .errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

# Most random bytes in one request, as in a host.
RANDOM = 65_536
# What is taken note of and answered with nothing.
QUIET = frozenset(("log", "bus.publish", "bus.subscribe", "bus.unsubscribe", "metrics.count", "metrics.gauge",
                   "metrics.observe"))


class Asked:
    """Something that the plugin asked of the host."""

    def __init__(self, function: str, args: "Dict[str, Any]", payload: bytes) -> None:
        self.function, self.args, self.payload = function, args, payload

    def __repr__(self) -> str:
        return f"Asked({self.function!r}, {self.args!r}, {self.payload!r})"


class BenchHost:
    """Answers with what the test says, and without it what needs no other plugin and no operator."""

    def __init__(self, config: "Dict[str, Any]", identity: "Dict[str, Any]") -> None:
        self.config = config
        self.identity = Identity(**{"id": "test", "version": "0.0.0", "generation": 1, "instance": 0, **identity})
        self.answers: "Dict[str, Any]" = {}
        self.asked: "List[Asked]" = []
        self.state: "Dict[str, bytes]" = {}
        self.cancelled = False

    def is_cancelled(self, _: int) -> bool:
        return self.cancelled

    def log(self, args: bytes) -> None:
        self.asked.append(Asked("log", from_json(args), b""))

    def ask(
        self, function: int, args: bytes, payload: bytes, decode: "Callable[[bytes], Any]", none: str = ""
    ) -> Any:
        name = FUNCTIONS[function] if function < len(FUNCTIONS) else "unknown"
        asked = Asked(name, from_json(args) or {}, bytes(payload))
        self.asked.append(asked)
        try:
            answer = self._answer(asked)
        except HostError as why:
            if why.code == none:
                return None
            raise
        return decode(to_bytes(answer))

    async def ask_async(self, *given: Any) -> Any:
        return self.ask(*given)

    def _answer(self, asked: Asked) -> Any:
        if asked.function not in self.answers:
            return self._built_in(asked)
        answer = self.answers[asked.function]
        if callable(answer) and not isinstance(answer, type):
            answer = answer(asked)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _built_in(self, asked: Asked) -> Any:
        function, args = asked.function, asked.args
        if function in QUIET:
            return None
        if function == "config.get":
            key = args.get("key")
            return to_json(self.config if key is None else self.config.get(key))
        if function == "time.now":
            from datetime import datetime, timezone

            return datetime.now(timezone.utc).isoformat()
        if function == "time.monotonic":
            return time.monotonic_ns()
        if function == "random":
            if args["bytes"] > RANDOM:
                raise HostError("limit_exceeded", f"at most {RANDOM} random bytes at once")
            return os.urandom(args["bytes"])
        return self._stored(asked)

    def _stored(self, asked: Asked) -> Any:
        """State in memory. Times to live end nothing here."""
        function, key, state = asked.function, asked.args.get("key", ""), self.state
        if function == "state.get":
            if key not in state:
                raise HostError("key_not_found", f"the state has no value for {key}")
            return state[key]
        if function == "state.set":
            state[key] = asked.payload
            return None
        if function == "state.compare_and_set":
            expected = asked.args.get("expected")
            fits = state.get(key) == (None if expected is None else expected.encode())
            if fits:
                state[key] = asked.payload
            return fits
        if function == "state.delete":
            state.pop(key, None)
            return None
        if function == "state.list":
            return sorted(kept for kept in state if kept.startswith(asked.args.get("prefix", "")))
        raise HostError("not_supported", f"the test bench has no answer to {function}")
