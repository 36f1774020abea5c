"""The host API, by areas. One set of classes for both kinds of context: what ``ask`` gives back is the answer in a
synchronous plugin and an awaitable in an asynchronous one (``_async_api.py`` types those)."""

from __future__ import annotations

from ._frames import FUNCTIONS
from ._values import from_json, plain_bytes, reply_of, to_bytes, to_json
from .errors import HostError, PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, Callable, List, Mapping, Optional, Union

    Ask = Callable[..., Any]
    Bytes = Union[bytes, bytearray, memoryview, str]

NUMBERS = {name: number for number, name in enumerate(FUNCTIONS)}
# The code of the answer for a key that has no value.
_MISSING = "key_not_found"


class Area:
    """A part of the host API."""

    __slots__ = ("_ask",)

    def __init__(self, ask: Ask) -> None:
        self._ask = ask


def _milliseconds(seconds: "Optional[float]") -> "Optional[int]":
    # Rounded up, so that little does not become nothing; what is less than a nanosecond is an error of floating point.
    return None if seconds is None else max(0, int(-(-round(seconds * 1000, 6) // 1)))


def arguments(**given: Any) -> bytes:
    """Arguments as the header of a question; what is None is left out."""
    return to_json({key: value for key, value in given.items() if value is not None})


def _nothing(_: bytes) -> None:
    return None


def _whole(body: bytes) -> bytes:
    return body


def _value(what: str, raw: bool) -> "Callable[[bytes], Any]":
    return _whole if raw else lambda body: reply_of(what, body)


def misfit(function: str, body: bytes) -> HostError:
    """What the host said is not what the contract says it does."""
    return HostError("protocol_error", f"the host's answer to {function} does not fit: {body[:200]!r}")


def _of(function: str, kind: Any) -> "Callable[[bytes], Any]":
    """Reads an answer that is JSON of one kind."""

    def decode(body: bytes) -> Any:
        try:
            value = from_json(body)
        except (ValueError, RecursionError):
            raise misfit(function, body) from None
        if type(value) is not kind:
            raise misfit(function, body)
        return value

    return decode


def _text(body: bytes) -> str:
    try:
        return str(body, "utf-8")
    except ValueError:
        raise HostError("protocol_error", "the secret is not UTF-8; ask for it with ctx.host") from None


def _moment(body: bytes) -> datetime:
    """RFC 3339; a digit beyond the microseconds is dropped."""
    from datetime import datetime

    text = _of("time.now", str)(body)
    head, zone = (text[:-1], "+00:00") if text[-1:] in ("Z", "z") else (text[:-6], text[-6:])
    whole, _, fraction = head.partition(".")
    try:
        return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}{zone}")
    except ValueError:
        raise misfit("time.now", body) from None


def _expected(key: str, value: "Optional[Bytes]") -> "Optional[str]":
    if value is None or isinstance(value, str):
        return value
    try:
        return str(plain_bytes(value, "an expected value"), "utf-8")
    except ValueError:
        raise PluginError("invalid_input", f"the expected value of {key} is not UTF-8") from None


def _message(data: Any, content_type: "Optional[str]") -> bytes:
    return to_bytes(data) if content_type is None else plain_bytes(data, "data with a content type")


class State(Area):
    """The plugin's own storage. Keys are text, values bytes; text goes as UTF-8. ``ttl``: seconds after which a value is
    gone, rounded up to milliseconds; None keeps it for good."""

    __slots__ = ()

    def get(self, key: str) -> "Optional[bytes]":
        """The value; None where there is none."""
        return self._ask(NUMBERS["state.get"], arguments(key=key), b"", _whole, _MISSING)

    def get_json(self, key: str) -> Any:
        """The value, parsed; None where there is none. ``invalid_reply`` for one that is no JSON."""
        return self._ask(NUMBERS["state.get"], arguments(key=key), b"", lambda body: reply_of(key, body), _MISSING)

    def set(self, key: str, value: Bytes, ttl: "Optional[float]" = None) -> None:
        """Writes it. ``limit_exceeded`` over quota."""
        args = arguments(key=key, ttl_ms=_milliseconds(ttl))
        return self._ask(NUMBERS["state.set"], args, plain_bytes(value, "a value"), _nothing)

    def set_json(self, key: str, value: Any, ttl: "Optional[float]" = None) -> None:
        """Writes a value as JSON."""
        return self.set(key, to_json(value), ttl)

    def compare_and_set(
        self, key: str, expected: "Optional[Bytes]", value: Bytes, ttl: "Optional[float]" = None
    ) -> bool:
        """Writes ``value`` if the key's value is still ``expected`` (None: if there is none). Whether it was written.
        ``invalid_input`` for an expected value that is not UTF-8, which the host cannot compare."""
        args = arguments(key=key, expected=_expected(key, expected), ttl_ms=_milliseconds(ttl))
        decode = _of("state.compare_and_set", bool)
        return self._ask(NUMBERS["state.compare_and_set"], args, plain_bytes(value, "a value"), decode)

    def delete(self, key: str) -> None:
        """Removes it; a key that is not there is no error."""
        return self._ask(NUMBERS["state.delete"], arguments(key=key), b"", _nothing)

    def list(self, prefix: str = "") -> "List[str]":
        """The keys that begin with ``prefix``; all for an empty one."""
        return self._ask(NUMBERS["state.list"], arguments(prefix=prefix or None), b"", _of("state.list", list))


class Bus(Area):
    """Events."""

    __slots__ = ()

    def publish(
        self, topic: str, data: Any = None, content_type: "Optional[str]" = None, retain: bool = False
    ) -> None:
        """Publishes ``data``: bytes as they are, everything else as JSON. With a ``content_type``, another media type than
        JSON's, ``data`` is bytes or text and goes as it is. With ``retain`` whoever subscribes later gets the event first."""
        args = arguments(topic=topic, content_type=content_type, retain=retain or None)
        return self._ask(NUMBERS["bus.publish"], args, _message(data, content_type), _nothing)

    def request(
        self,
        topic: str,
        data: Any = None,
        deadline: "Optional[float]" = None,
        raw: bool = False,
        content_type: "Optional[str]" = None,
    ) -> Any:
        """Asks a topic and gives the first answer that is not empty, which is what an ``on_event`` has returned, parsed
        unless ``raw``; None where all that are there return nothing. ``deadline``: seconds. ``content_type``: as in
        ``publish``. ``peer_gone`` where nobody is there, ``deadline_exceeded`` where nobody answers in time, and the error
        of a hook where no other answers."""
        args = arguments(topic=topic, content_type=content_type, deadline_ms=_milliseconds(deadline))
        return self._ask(NUMBERS["bus.request"], args, _message(data, content_type), _value(topic, raw))

    def subscribe(
        self, topic: str, group: "Optional[str]" = None, filter: "Optional[Mapping[str, Any]]" = None
    ) -> None:
        """From now on ``on_event`` gets what is published on this topic, or on those of a pattern: ``orders.*``,
        ``orders.>``. Of the plugins in a ``group`` one gets each event. A ``filter`` names fields of the data, or JSON
        pointers to them, and the values they have to have: ``{"color": "red", "/size/width": 3}``."""
        args = arguments(topic=topic, group=group, filter=None if filter is None else dict(filter))
        return self._ask(NUMBERS["bus.subscribe"], args, b"", _nothing)

    def unsubscribe(self, topic: str) -> None:
        """Ends it; the topic is written as it was subscribed to."""
        return self._ask(NUMBERS["bus.unsubscribe"], arguments(topic=topic), b"", _nothing)


class Services(Area):
    """Services by interface, whoever provides them."""

    __slots__ = ()

    def find(self, interface: str, range: "Optional[str]" = None) -> "List[Any]":
        """The providers of an interface, for example ``("greeter", "^1")``."""
        return self._ask(NUMBERS["service.find"], arguments(interface=interface, range=range), b"", _of("service.find", list))

    def call(
        self,
        interface: str,
        action: str,
        input: Any = None,
        range: "Optional[str]" = None,
        deadline: "Optional[float]" = None,
        raw: bool = False,
    ) -> Any:
        """Calls an action of the provider that the host chooses. As ``ctx.call``."""
        args = arguments(interface=interface, range=range, action=action, deadline_ms=_milliseconds(deadline))
        return self._ask(NUMBERS["service.call"], args, to_bytes(input), _value(interface, raw))


class HttpReply:
    """What came back from a web address."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: "Mapping[str, str]", body: bytes) -> None:
        #: The HTTP status, such as 200.
        self.status = status
        #: Names in lower case; one that came more than once is joined with ", ".
        self.headers = headers
        self.body = body

    def text(self) -> str:
        """The body as UTF-8; what is none becomes U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body, parsed; None where it is empty. ``invalid_reply`` where it is no JSON."""
        return reply_of("a web address", self.body)


def _fetched(reply: bytes) -> HttpReply:
    head, _, body = reply.partition(b"\n")
    told = _of("http.fetch", dict)(head)
    if type(told.get("status")) is not int:
        raise misfit("http.fetch", head)
    return HttpReply(told["status"], told.get("headers") or {}, body)


class Http(Area):
    """The web, through the host and its rules."""

    __slots__ = ()

    def fetch(
        self,
        url: str,
        method: str = "GET",
        headers: "Optional[Mapping[str, str]]" = None,
        body: "Optional[Bytes]" = None,
    ) -> HttpReply:
        """What this address answers, whatever its status."""
        args = arguments(url=url, method=method, headers=dict(headers) if headers else None)
        return self._ask(NUMBERS["http.fetch"], args, plain_bytes(body, "a body"), _fetched)


class Metrics(Area):
    """Numbers for the operator's charts."""

    __slots__ = ()

    def count(self, name: str, value: float = 1, labels: "Optional[Mapping[str, str]]" = None) -> None:
        """Adds to a counter; ``value`` is not below 0."""
        return self._tell("metrics.count", name, value, labels)

    def gauge(self, name: str, value: float, labels: "Optional[Mapping[str, str]]" = None) -> None:
        """Sets a gauge."""
        return self._tell("metrics.gauge", name, value, labels)

    def observe(self, name: str, value: float, labels: "Optional[Mapping[str, str]]" = None) -> None:
        """Adds to a histogram."""
        return self._tell("metrics.observe", name, value, labels)

    def _tell(self, function: str, name: str, value: float, labels: Any) -> None:
        args = arguments(name=name, value=value, labels=dict(labels) if labels else None)
        return self._ask(NUMBERS[function], args, b"", _nothing)


class Secrets(Area):
    """Secrets that the operator gave."""

    __slots__ = ()

    def get(self, name: str) -> str:
        """A secret by its name, as text."""
        return self._ask(NUMBERS["secret.get"], arguments(name=name), b"", _text)


class Time(Area):
    """The host's clocks."""

    __slots__ = ()

    def now(self) -> datetime:
        """The time of day, with its zone, to the microsecond."""
        return self._ask(NUMBERS["time.now"], b"", b"", _moment)

    def monotonic(self) -> int:
        """Nanoseconds of a clock that never goes back."""
        return self._ask(NUMBERS["time.monotonic"], b"", b"", _of("time.monotonic", int))
