"""What a plugin knows and may ask for during a call or hook."""

from __future__ import annotations

import time

from . import _api
from ._api import NUMBERS, arguments
from ._frames import NO_DEADLINE
from ._values import from_json, plain_bytes, to_bytes
from .errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Dict, List, Mapping, Optional

    from . import _async_api as aio


class Identity:
    """Who a plugin is, as the host says.

    generation: counts the loads of this plugin in this host, from 1. instance: number of this instance, from 0.
    """

    __slots__ = ("id", "version", "generation", "instance")

    def __init__(self, id: str, version: str, generation: int, instance: int) -> None:
        self.id, self.version, self.generation, self.instance = id, version, generation, instance

    def __repr__(self) -> str:
        return f"Identity({self.id!r}, {self.version!r}, generation={self.generation}, instance={self.instance})"


class _Context:
    """What both kinds have in common."""

    __slots__ = ("_line", "_call", "_origin", "_until", "action", "_parts")

    if TYPE_CHECKING:
        _ask: Any

    def __init__(self, line: Any, call: int, action: "Optional[str]", origin: bytes, milliseconds: int) -> None:
        self._line, self._call, self._origin, self.action = line, call, origin, action
        self._until = None if milliseconds == NO_DEADLINE else time.monotonic() + milliseconds / 1000
        self._parts: "Optional[Dict[str, Any]]" = None

    @property
    def plugin(self) -> Identity:
        """Who this is."""
        return self._line.identity

    @property
    def config(self) -> "Dict[str, Any]":
        """The configuration in effect: that of the last ``on_init`` or ``on_config_changed`` that did not fail, whether
        or not the plugin has these hooks. Within these two it is still the one before, at first ``{}``."""
        return self._line.config

    @property
    def caller(self) -> "List[Dict[str, str]]":
        """Who waits for this call, ``{"plugin", "action"?}``, innermost first; empty when the host itself does."""
        return self._origin_of("caller") or []

    @property
    def trace(self) -> "Optional[str]":
        """W3C ``traceparent``, if the call has one."""
        return self._origin_of("trace")

    @property
    def deadline(self) -> "Optional[float]":
        """When this call must have ended, as ``time.monotonic()`` counts; None: no deadline."""
        return self._until

    def remaining(self) -> "Optional[float]":
        """Seconds until then, not below 0; None: no deadline."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """Whether the host has cancelled the call. What does not stop within 500 ms of that is killed."""
        return self._line.is_cancelled(self._call)

    def log(self, level: str, message: str, fields: "Optional[Mapping[str, Any]]" = None) -> None:
        """Writes a line to the plugin's log, 16 KiB at most. ``level``: trace, debug, info, warn, error. Never fails."""
        try:
            args = arguments(level=level, message=str(message), fields=dict(fields) if fields else None)
        except (TypeError, ValueError):
            args = arguments(level=level, message=str(message), fields={"fields": repr(fields)})
        self._line.log(args)

    def debug(self, message: str, **fields: Any) -> None:
        """Writes a line at level ``debug``."""
        self.log("debug", message, fields)

    def info(self, message: str, **fields: Any) -> None:
        """Writes a line at level ``info``."""
        self.log("info", message, fields)

    def warn(self, message: str, **fields: Any) -> None:
        """Writes a line at level ``warn``."""
        self.log("warn", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """Writes a line at level ``error``."""
        self.log("error", message, fields)

    def _origin_of(self, key: str) -> Any:
        found = from_json(self._origin)
        return found.get(key) if isinstance(found, dict) else None

    def _part(self, kind: Any) -> Any:
        parts = self._parts
        if parts is None:
            parts = self._parts = {}
        part = parts.get(kind)
        if part is None:
            part = parts[kind] = kind(self._ask)
        return part

    # Beside the areas, which are made when somebody wants them: most calls want none.

    if not TYPE_CHECKING:

        def _ask(self, *given):
            return self._line.ask(*given)

        @property
        def state(self):
            """The plugin's own storage."""
            return self._part(_api.State)

        @property
        def bus(self):
            """Events."""
            return self._part(_api.Bus)

        @property
        def service(self):
            """Services by interface."""
            return self._part(_api.Services)

        @property
        def http(self):
            """The web."""
            return self._part(_api.Http)

        @property
        def metrics(self):
            """Numbers for the operator."""
            return self._part(_api.Metrics)

        @property
        def secret(self):
            """Secrets."""
            return self._part(_api.Secrets)

        @property
        def time(self):
            """The host's clocks."""
            return self._part(_api.Time)

        def call(self, address, input=None, deadline=None, raw=False):
            """Calls an action of another plugin, ``"id/action"``, and gives its reply.

            The input goes as JSON (bytes as they are), the reply is parsed (None where it is empty) unless ``raw``.
            ``deadline``: seconds; the call gets this or what is left of the calling one, whichever is less.
            Raises :class:`HostError` with what the call ended with.
            """
            args = arguments(address=address, deadline_ms=_api._milliseconds(deadline))
            return self._ask(NUMBERS["call"], args, to_bytes(input), _api._value(address, raw))

        def random(self, count):
            """So many random bytes, 65,536 at most."""
            return self._ask(NUMBERS["random"], arguments(bytes=count), b"", _api._whole)

        def host(self, function, args=None, payload=None):
            """Asks the host by a function's name in the contract: for what has no spelling of its own here."""
            number = NUMBERS.get("bus.publish" if function == "events.emit" else function)
            if number is None:
                raise HostError("not_supported", f"there is no host function `{function}`")
            return self._ask(number, arguments(**(args or {})), plain_bytes(payload, "a payload"), _api._whole)


class Context(_Context):
    """The context of synchronous actions and hooks: what it asks the host for blocks until the host has answered.

    It may be used from other threads, and after the call too: then it asks on nobody's behalf.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        state: _api.State
        bus: _api.Bus
        service: _api.Services
        http: _api.Http
        metrics: _api.Metrics
        secret: _api.Secrets
        time: _api.Time

        def call(
            self, address: str, input: Any = None, deadline: Optional[float] = None, raw: bool = False
        ) -> Any: ...
        def random(self, count: int) -> bytes: ...
        def host(
            self, function: str, args: Optional[Mapping[str, Any]] = None, payload: Optional[_api.Bytes] = None
        ) -> bytes: ...


class AsyncContext(_Context):
    """The context of ``async def`` actions and hooks: what it asks the host for is awaited, ``log`` is not."""

    __slots__ = ()

    if TYPE_CHECKING:
        state: aio.State
        bus: aio.Bus
        service: aio.Services
        http: aio.Http
        metrics: aio.Metrics
        secret: aio.Secrets
        time: aio.Time

        def call(
            self, address: str, input: Any = None, deadline: Optional[float] = None, raw: bool = False
        ) -> Awaitable[Any]: ...
        def random(self, count: int) -> Awaitable[bytes]: ...
        def host(
            self, function: str, args: Optional[Mapping[str, Any]] = None, payload: Optional[_api.Bytes] = None
        ) -> Awaitable[bytes]: ...

    else:

        def _ask(self, *given):
            return self._line.ask_async(*given)
