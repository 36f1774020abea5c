"""A plugin that speaks Midplane's wire protocol, with nothing but the standard library.

It relies on what contract/wire.md says and no more. One thread reads frames, one per call works.
"""
import json
import os
import socket
import struct
import threading

HELLO, LOAD, OPEN, CLOSE, CALL, HOOK, HOST, DATA, DONE, ERROR, CANCEL, CREDIT, PING, PONG, SHUTDOWN = range(1, 16)
MORE, ABSENT = 1, 4
PREFIX = struct.Struct("<BBHIIIII")
CHUNK, WINDOW, NO_DEADLINE = 256 * 1024, 1024 * 1024, 0xFFFFFFFF
STATE_GET, STATE_SET, HEALTH = 2, 3, 6


class Cancelled(Exception):
    pass


class PluginError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.record = {"code": code, "message": message}


class Exchange:
    """One request in either direction: what came, what may be sent, whether it was given up."""

    def __init__(self, kind=0, value=0, credit=WINDOW):
        self.kind, self.value, self.credit = kind, value, credit
        self.body, self.taken, self.end, self.cancelled = bytearray(), 0, None, False


class Wire:
    def __init__(self):
        self.sock = socket.socket(fileno=int(os.environ["MIDPLANE_FD"]))
        self.lock, self.changed = threading.Lock(), threading.Condition()
        self.requests, self.asks, self.next_ask = {}, {}, 2

    def send(self, kind, instance, ident, payload=b"", header=b"", flags=0, value=0):
        head = PREFIX.pack(kind, flags, instance, ident, len(header), len(payload), value, NO_DEADLINE)
        with self.lock:
            self.sock.sendall(head + header + payload)

    def send_body(self, first, last, instance, ident, body, exchange, header=b"", value=0):
        """Sends a message in chunks, as the other side gives credit."""
        kind, view = first, memoryview(body)
        while True:
            with self.changed:
                self.changed.wait_for(lambda: exchange.credit > 0 or exchange.cancelled or not view)
                if exchange.cancelled:
                    raise Cancelled()
                count = min(len(view), CHUNK, exchange.credit)
                exchange.credit -= count
            piece, view = bytes(view[:count]), view[count:]
            kind = kind if view or kind not in (DATA,) else last
            self.send(kind, instance, ident, piece, header, MORE if view else 0, value)
            kind, header = DATA, b""
            if not view:
                return

    def read(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.sock.recv(count - len(data))
            if not piece:
                os._exit(0)
            data += piece
        return bytes(data)

    def ask(self, instance, call, function, args, payload=b""):
        """Uses the host API from within a call."""
        ident, self.next_ask = self.next_ask, self.next_ask + 2
        ask = self.asks[ident] = Exchange()
        self.send_body(HOST, DATA, instance, ident, payload, ask, json.dumps(args).encode(), function)
        with self.changed:
            self.changed.wait_for(lambda: ask.end or call.cancelled)
        del self.asks[ident]
        if call.cancelled:
            raise Cancelled()
        if ask.end == ERROR:
            raise PluginError(**json.loads(bytes(ask.body)))
        return bytes(ask.body)

    def collect(self, exchange, instance, ident, payload, more):
        exchange.body += payload
        exchange.taken += len(payload)
        if more and exchange.taken >= WINDOW // 2:
            self.send(CREDIT, instance, ident, value=exchange.taken)
            exchange.taken = 0

    def serve(self, plugin):
        hello = {"versions": [1], "features": [], "peer": "peer.py"}
        self.sock.sendall(b"MIDPLANE")
        self.send(HELLO, 0xFFFF, 0, header=json.dumps(hello).encode())
        assert self.read(8) == b"MIDPLANE"
        while True:
            kind, flags, instance, ident, header, payload, value, _ = PREFIX.unpack(self.read(PREFIX.size))
            self.read(header)
            payload, key, more = self.read(payload), (instance, ident), flags & MORE
            if kind == SHUTDOWN:
                os._exit(0)
            elif kind == PING:
                self.send(PONG, instance, ident)
            elif kind in (LOAD, OPEN, CLOSE, CALL, HOOK):
                request = self.requests[key] = Exchange(kind, value)
                self.collect(request, instance, ident, payload, more)
            elif kind == CANCEL and key in self.requests:
                with self.changed:
                    self.requests[key].cancelled = True
                    self.changed.notify_all()
                continue
            elif kind == CREDIT:
                with self.changed:
                    exchange = self.asks.get(ident) if ident % 2 == 0 else self.requests.get(key)
                    if exchange:
                        exchange.credit += value
                    self.changed.notify_all()
                continue
            elif kind in (DATA, DONE, ERROR) and ident % 2 == 0 and ident in self.asks:
                self.collect(self.asks[ident], instance, ident, payload, more)
                with self.changed:
                    self.asks[ident].end = kind if kind != DATA else None
                    self.changed.notify_all()
                continue
            elif kind == DATA and key in self.requests:
                self.collect(self.requests[key], instance, ident, payload, more)
            else:
                continue
            if not more:
                threading.Thread(target=self.work, args=(plugin, key, self.requests[key]), daemon=True).start()

    def work(self, plugin, key, request):
        try:
            reply = plugin.answer(self, key[0], request)
            if reply is None:
                self.send(DONE, *key, flags=ABSENT)
            else:
                self.send_reply(key, request, reply)
        except Cancelled:
            self.send(ERROR, *key, json.dumps({"code": "cancelled", "message": "given up"}).encode())
        except PluginError as error:
            self.send(ERROR, *key, json.dumps(error.record).encode())
        self.requests.pop(key, None)

    def send_reply(self, key, request, reply):
        first = DONE if len(reply) <= CHUNK else DATA
        self.send_body(first, DONE, *key, reply, request)


class Plugin:
    actions = ["upper", "echo", "remember", "wait", "fail"]

    def answer(self, wire, instance, request):
        if request.kind == LOAD:
            plugin = json.loads(bytes(request.body))["manifest"]["id"]
            info = {"id": plugin, "name": "peer.py"}
            return json.dumps({"info": info, "actions": self.actions, "hooks": ["health"], "build_id": "1"}).encode()
        if request.kind == HOOK:
            return b'{"status": "healthy"}' if request.value == HEALTH else None
        if request.kind != CALL:
            return b""
        action = self.actions[request.value]
        if action == "upper":
            return bytes(request.body).decode().upper().encode()
        if action == "remember":
            wire.ask(instance, request, STATE_SET, {"key": "k"}, bytes(request.body))
            return wire.ask(instance, request, STATE_GET, {"key": "k"})
        if action == "wait":
            with wire.changed:
                wire.changed.wait_for(lambda: request.cancelled)
            raise Cancelled()
        if action == "fail":
            raise PluginError("invalid_input", "as asked")
        return bytes(request.body)


if __name__ == "__main__":
    Wire().serve(Plugin())
