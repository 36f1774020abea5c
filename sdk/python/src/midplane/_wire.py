"""Frames on a descriptor: reading, writing, messages in pieces, credit.

CONCURRENCY: whoever holds ``reading`` reads for everybody. That is the main thread while it waits for a request or for
an answer, the event loop of a plugin that has one, and the watcher (``_watch.py``) while a synchronous action runs for
long. Whoever did not wait in the read itself must ask, under the lock, whether there is anything: somebody else may
have taken it. Python objects are shared as the interpreter's own lock allows: single steps on dicts and lists.
"""

from __future__ import annotations

import os
from _thread import allocate_lock

from ._frames import (
    ABSENT, CALL, CANCEL, CHUNK, CLOSE, CONNECTION, CREDIT, DATA, DONE, ERROR, HEAD, HEADER, HELLO, HOOK, HOST, KINDS,
    LOAD, MAGIC, MORE, OPEN, PAYLOAD, PING, PONG, QUEUE, SHUTDOWN, WINDOW, Breach,
)
from ._values import from_json, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    # kind, flags, instance, id, value, milliseconds, header, body
    Request = Tuple[int, int, int, int, int, int, bytes, bytes]

# Bytes asked for at once: below what the allocator asks the system for each time.
GULP = 65_536


def parsed(what: str, raw: bytes) -> "Dict[str, Any]":
    """JSON of the protocol: an object. Raises Breach."""
    try:
        found = from_json(raw) if raw else {}
    except (ValueError, RecursionError) as why:
        raise Breach(f"the JSON of a {what} cannot be read: {why}") from None
    if not isinstance(found, dict):
        raise Breach(f"the JSON of a {what} is no object")
    return found


class Incoming:
    """A message that comes in pieces."""

    __slots__ = ("request", "parts", "size", "room")

    def __init__(self, request: "Optional[Request]") -> None:
        self.request: Any = request
        self.parts: "List[bytes]" = []
        self.size, self.room = 0, WINDOW

    def add(self, piece: bytes) -> None:
        """Takes a piece. Raises Breach where it is more than there was credit for."""
        self.room -= len(piece)
        if self.room < 0:
            raise Breach("more bytes than credit")
        self.size += len(piece)
        self.parts.append(piece)


class Wire:
    """One connection to a host. ``key`` everywhere: the instance and id of a message in one number."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.reading, self.writing = allocate_lock(), allocate_lock()
        self.chunk, self.window = CHUNK, WINDOW
        self.rest = b""
        self.greeted = False
        self.partial: "Dict[int, Incoming]" = {}
        self.credit: "Dict[int, int]" = {}
        self.waiting: "List[Request]" = []
        self.turn = 0

    # What leaves.

    def send(
        self, kind: int, key: int, payload: bytes = b"", flags: int = 0, value: int = 0, header: bytes = b"",
        time: int = 0,
    ) -> None:
        """Sends one frame; waits while the host does not read."""
        head = HEAD.pack(kind, flags, key >> 32, key & 0xFFFF_FFFF, len(header), len(payload), value, time)
        parts = [head, header, payload] if header else [head, payload]
        total = len(head) + len(header) + len(payload)
        try:
            with self.writing:
                sent = os.writev(self.descriptor, parts)
                if sent < total:
                    rest = b"".join(parts)
                    while sent < total:
                        sent += os.write(self.descriptor, rest[sent:])
        except OSError:
            # Nobody is there any longer: a peer whose stream has ended, ends.
            os._exit(0)

    def send_error(self, key: int, record: bytes) -> None:
        """Answers with an error."""
        self.credit.pop(key, None)
        self.send(ERROR, key, record)

    def refuse(self, key: int, code: str, message: str) -> None:
        """Answers with an error of the protocol's own."""
        self.send_error(key, to_json({"code": code, "message": message}))

    def greet(self) -> None:
        """Sends this side's greeting and takes the host's."""
        limits = {"chunk": CHUNK, "payload": PAYLOAD, "window": WINDOW}
        hello = {"versions": [1], "features": ["stream", "cancel", "host"], "limits": limits,
                 "peer": "midplane-python 0.1.0"}
        os.write(self.descriptor, MAGIC)
        self.send(HELLO, CONNECTION << 32, header=to_json(hello))
        while len(self.rest) < len(MAGIC):
            self.rest += self.read()
        if self.rest[: len(MAGIC)] != MAGIC:
            raise Breach(f"it begins with {self.rest[:16]!r}")
        rest, self.rest = self.rest[len(MAGIC):], b""
        self.cut(rest)
        while not self.greeted:
            self.fill()

    # What arrives.

    def read(self) -> bytes:
        """Some bytes. Ends the process with the stream."""
        try:
            found = os.read(self.descriptor, GULP)
        except ConnectionError:
            found = b""
        if not found:
            os._exit(0)
        return found

    def fill(self) -> None:
        """Reads once and takes what has come in full. The caller holds ``reading``."""
        found = self.read()
        self.cut(self.rest + found if self.rest else found)

    def cut(self, buffer: bytes) -> None:
        """Takes the frames of a buffer and keeps the rest."""
        at, end = 0, len(buffer)
        while end - at >= 24:
            kind, flags, instance, id, header, payload, value, time = HEAD.unpack_from(buffer, at)
            if header > HEADER or payload > CHUNK:
                raise Breach(f"a frame claims a header of {header} and a payload of {payload} bytes")
            middle = at + 24 + header
            last = middle + payload
            if last > end:
                break
            key = instance << 32 | id
            if (kind == CALL or kind == HOOK) and not flags & MORE and self.greeted:
                self.arrive((kind, flags, instance, id, value, time, buffer[at + 24 : middle], buffer[middle:last]))
            else:
                request = (kind, flags, instance, id, value, time, buffer[at + 24 : middle], buffer[middle:last])
                self.take(key, request)
            at = last
        self.rest = buffer[at:]

    def arrive(self, request: "Request") -> None:
        """A request that has come in full."""
        if len(self.waiting) >= QUEUE:
            self.refuse(request[2] << 32 | request[3], "overloaded", f"{QUEUE} requests wait for the instance")
        else:
            self.waiting.append(request)

    def take(self, key: int, frame: "Request") -> None:
        """Any other frame."""
        kind, flags, _, id, value, _, header, payload = frame
        if not self.greeted:
            self.take_greeting(kind, header)
        elif kind in (LOAD, OPEN, CLOSE, CALL, HOOK):
            if flags & MORE:
                self.begin_partial(key, frame)
            else:
                self.arrive(frame)
        elif kind in (DATA, DONE, ERROR) and id & 1 == 0 and id:
            self.answered(key, kind, flags, payload)
        elif kind == DATA:
            if flags & MORE and not payload:
                raise Breach("an empty DATA with MORE")
            self.add_partial(key, payload, bool(flags & MORE))
        elif kind == CANCEL:
            self.cancel(key)
        elif kind == CREDIT:
            if key in self.credit:
                self.credit[key] += value
                self.credited(key)
        elif kind == PING:
            self.send(PONG, key)
        elif kind == SHUTDOWN:
            self.shut_down()
        elif kind == ERROR:
            os.write(2, b"the host ends the connection: " + payload + b"\n")
        elif kind in (0, HELLO, HOST) or SHUTDOWN < kind < 128:
            name = KINDS[kind] if kind < len(KINDS) else ""
            raise Breach(f"an unexpected frame {name or kind}")

    def take_greeting(self, kind: int, header: bytes) -> None:
        """The host's first frame."""
        if kind != HELLO:
            raise Breach(f"the first frame is of kind {kind} instead of HELLO")
        hello = parsed("HELLO", header)
        limits = hello.get("limits") or {}
        self.chunk, self.window = min(limits.get("chunk", CHUNK), CHUNK), limits.get("window", WINDOW)
        if 1 not in hello.get("versions", []):
            raise Breach(f"the host speaks protocol {hello.get('versions')}, this side 1")
        if not 1024 <= self.chunk <= self.window:
            raise Breach(f"the host accepts chunks of {self.chunk} in a window of {self.window}")
        self.greeted = True

    def begin_partial(self, key: int, frame: "Request") -> None:
        """The first piece of a request."""
        message = self.partial[key] = Incoming(frame)
        message.add(frame[7])

    def add_partial(self, key: int, payload: bytes, more: bool) -> None:
        """A further piece of a request; of one that nobody waits for, nothing."""
        message = self.partial.get(key)
        if message is None:
            return
        message.add(payload)
        if message.size > PAYLOAD:
            del self.partial[key]
            self.refuse(key, "limit_exceeded", f"an input of more than {PAYLOAD} bytes")
        elif not more:
            del self.partial[key]
            self.arrive(message.request[:7] + (b"".join(message.parts),))
        else:
            self.give_room(key, message)

    def give_room(self, key: int, message: Incoming) -> None:
        """Credit for what has been taken, when it is half of all."""
        if message.room <= WINDOW // 2:
            self.send(CREDIT, key, value=WINDOW - message.room)
            message.room = WINDOW

    def cancel(self, key: int) -> None:
        """The host gives a request up that is not being worked on."""
        if self.partial.pop(key, None) is not None:
            return self.refuse(key, "cancelled", "the host cancelled it before it had come in full")
        for request in list(self.waiting):
            if request[2] << 32 | request[3] == key:
                self.waiting.remove(request)
                return self.refuse(key, "cancelled", "the host cancelled it before its turn")

    # For those who build on this.

    def answered(self, key: int, kind: int, flags: int, payload: bytes) -> None:
        """A piece of the host's answer to a question."""

    def credited(self, key: int) -> None:
        """More may be sent of a message."""

    def shut_down(self) -> None:
        """The host wants the process to end."""
        raise SystemExit(0)


def is_absent(flags: int) -> bool:
    """Whether an answer says that there is nothing."""
    return bool(flags & ABSENT)
