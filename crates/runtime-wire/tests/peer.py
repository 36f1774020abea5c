"""A plugin written from contract/wire.md alone, with nothing but Python's standard library.

One task reads all frames; every request runs as a task of its own, so that PING, CREDIT and CANCEL are heard during
calls. Actions are coroutines, or async generators where they answer in chunks; long computing belongs in a thread.
"""
import asyncio
import collections
import inspect
import json
import os
import socket
import struct
import sys
import traceback

HEAD = struct.Struct("<BBHIIIII")
HELLO, LOAD, OPEN, CLOSE, CALL, HOOK, HOST, DATA, DONE, ERROR, CANCEL, CREDIT, PING, PONG, SHUTDOWN = range(1, 16)
MORE, STREAM, ABSENT = 1, 2, 4
CONNECTION, NO_DEADLINE = (65_535, 0), 0xFFFF_FFFF
LIMITS = {"chunk": 262_144, "payload": 67_108_864, "window": 1_048_576}
STATE_GET, STATE_SET, HEALTH = 2, 3, 6


class Fault(Exception):
    """Ends a request with an error: code and message."""


class Breach(Exception):
    """The host broke the protocol."""


class Exchange:
    """A request of either side and its answer."""

    def __init__(self, credit, request=None):
        self.body, self.room = bytearray(), LIMITS["window"]  # what has come; what may come before it gets CREDIT
        self.credit, self.wake = credit, asyncio.Event()  # what may be sent; what wakes a sender who has none
        self.request, self.task = request, None  # of the host's: kind, flags and value; who works on it
        self.answered = None if request else asyncio.get_running_loop().create_future()


def parse(raw):
    try:
        found = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as why:
        raise Breach(f"JSON that cannot be read: {why}") from why
    if not isinstance(found, dict):
        raise Breach("JSON that is no object")
    return found


class Peer:
    def __init__(self, actions, hooks):
        self.actions, self.hooks, self.instances, self.last_id = actions, hooks, set(), 0
        self.exchanges = {}  # by (instance, id)
        self.turns = collections.defaultdict(asyncio.Lock)  # by instance: one request at a time

    # What leaves.

    def send(self, kind, key, payload=b"", flags=0, value=0, header=b"", time=0):
        self.writer.write(HEAD.pack(kind, flags, *key, len(header), len(payload), value, time) + header + payload)

    def send_error(self, key, code, message):
        self.exchanges.pop(key, None)
        self.send(ERROR, key, json.dumps({"code": code, "message": message[:100]}).encode())

    async def pieces(self, exchange, payload):
        """`payload` in pieces as frames and credit allow, each with whether it is the last."""
        at, last = 0, False
        while not last:
            while at < len(payload) and not exchange.credit:
                exchange.wake.clear()
                await exchange.wake.wait()
            piece = payload[at : at + min(self.chunk, exchange.credit)]
            at, exchange.credit = at + len(piece), exchange.credit - len(piece)
            last = at == len(payload)
            yield piece, last
            await self.writer.drain()

    async def ask(self, instance, function, arguments, payload=b""):
        """Asks the host. What is begun is sent in full and its answer taken, even if the asking call is cancelled."""
        self.last_id += 2
        asking = self.asking((instance, self.last_id), function, json.dumps(arguments).encode(), payload)
        return await asyncio.shield(asking)

    async def asking(self, key, function, header, payload):
        exchange = self.exchanges[key] = Exchange(self.window)
        head = {"kind": HOST, "value": function, "header": header, "time": NO_DEADLINE}
        async for piece, last in self.pieces(exchange, payload):
            if exchange.answered.done():
                break
            self.send(key=key, payload=piece, flags=0 if last else MORE, **head)
            head = {"kind": DATA}
        return await exchange.answered

    async def serve(self, key, exchange):
        """One request of the host, from its turn to its answer."""
        kind, flags, value = exchange.request
        try:
            async with self.turns[key[0]]:
                answer = await self.perform(key[0], kind, value, bytes(exchange.body))
                if inspect.isasyncgen(answer) and flags & STREAM:
                    async for chunk in answer:
                        async for piece, _ in self.pieces(exchange, chunk):
                            if piece:
                                self.send(DATA, key, piece, MORE)
                    answer = b""
                elif inspect.isasyncgen(answer):
                    answer = b"".join([chunk async for chunk in answer])
                async for piece, last in self.pieces(exchange, answer or b""):
                    self.send(DONE if last else DATA, key, piece, (ABSENT if answer is None else 0) if last else MORE)
            del self.exchanges[key]
        except asyncio.CancelledError:
            self.send_error(key, "cancelled", "the host cancelled it")
        except Fault as fault:
            self.send_error(key, *fault.args)
        except Exception as fault:
            traceback.print_exc()
            self.send_error(key, "plugin_error", repr(fault))

    async def perform(self, instance, kind, value, payload):
        if kind == LOAD:
            actions, hooks = ([part.__name__ for part in parts] for parts in (self.actions, self.hooks.values()))
            return json.dumps({"info": {"name": "peer.py"}, "actions": actions, "hooks": hooks}).encode()
        if kind == OPEN:
            self.instances.add(instance)
            return b""
        if instance not in self.instances:
            raise Fault("not_loaded", f"instance {instance} is not open")
        if kind == CLOSE:
            self.instances.remove(instance)
            return b""
        if kind == HOOK:
            return await self.hooks[value](self, instance, payload) if value in self.hooks else None
        if value >= len(self.actions):
            raise Fault("action_not_found", f"there is no action {value}")
        answer = self.actions[value](self, instance, payload)
        return answer if inspect.isasyncgen(answer) else await answer

    # What arrives.

    def arrive(self, key, exchange, payload, last):
        """A piece of a message. The room it takes is given back when half of all is taken."""
        exchange.body += payload
        exchange.room -= len(payload)
        if exchange.room < 0:
            raise Breach("more bytes than credit")
        if exchange.request and len(exchange.body) > LIMITS["payload"]:
            self.send_error(key, "limit_exceeded", f"an input of more than {LIMITS['payload']} bytes")
        elif last and exchange.answered:
            del self.exchanges[key]
            exchange.answered.set_result(bytes(exchange.body))
        elif last:
            if exchange.request[0] == LOAD:
                self.loaded = parse(exchange.body)
            if sum(of[0] == key[0] for of in self.exchanges) > 17:
                return self.send_error(key, "overloaded", "16 requests wait for the instance")
            exchange.task = asyncio.create_task(self.serve(key, exchange))
        elif exchange.room <= LIMITS["window"] // 2:
            self.send(CREDIT, key, value=LIMITS["window"] - exchange.room)
            exchange.room = LIMITS["window"]

    def take(self, kind, flags, key, header, payload, value):
        """One frame after the greeting."""
        exchange, more = self.exchanges.get(key), bool(flags & MORE)
        if kind in (LOAD, OPEN, CLOSE, CALL, HOOK):
            parse(header)  # the origin, for those who want to know
            exchange = self.exchanges[key] = Exchange(self.window, (kind, flags, value))
            self.arrive(key, exchange, payload, not more)
        elif kind == DATA and more and not payload:
            raise Breach("an empty DATA with MORE")
        elif kind in (DATA, DONE) and exchange and exchange.answered:
            self.arrive(key, exchange, payload, kind == DONE)
        elif kind == DATA and exchange and not exchange.task:
            self.arrive(key, exchange, payload, not more)
        elif kind == ERROR and key[1] == 0:
            print("the host ends the connection:", payload.decode(errors="replace"), file=sys.stderr)
        elif kind == ERROR and exchange and exchange.answered:
            record = parse(payload)
            del self.exchanges[key]
            exchange.answered.set_exception(Fault(record["code"], record["message"]))
            exchange.credit = LIMITS["window"]  # so that its sender looks up
            exchange.wake.set()
        elif kind == CANCEL and exchange and exchange.task:
            exchange.task.cancel()
        elif kind == CANCEL and exchange:
            self.send_error(key, "cancelled", "the host cancelled it before it had come in full")
        elif kind == CREDIT and exchange:
            exchange.credit += value
            exchange.wake.set()
        elif kind == PING:
            self.send(PONG, key)
        elif kind in (0, HELLO, HOST) or SHUTDOWN < kind < 128:
            raise Breach(f"an unexpected frame of kind {kind}")

    async def frame(self):
        kind, flags, instance, id, header, payload, value, _ = HEAD.unpack(await self.reader.readexactly(HEAD.size))
        if header > 65_536 or payload > LIMITS["chunk"]:
            raise Breach(f"a frame that claims a header of {header} and a payload of {payload} bytes")
        header = await self.reader.readexactly(header)
        return kind, flags, (instance, id), header, await self.reader.readexactly(payload), value

    async def greet(self):
        self.writer.write(b"MIDPLANE")
        greeting = {"versions": [1], "features": ["stream", "cancel", "host"], "limits": LIMITS, "peer": "peer.py 1.0"}
        self.send(HELLO, CONNECTION, header=json.dumps(greeting).encode())
        if (first := await self.reader.readexactly(8)) != b"MIDPLANE":
            raise Breach(f"it begins with {first}")
        kind, _, _, header, _, _ = await self.frame()
        greeting = parse(header)
        limits = LIMITS | greeting.get("limits", {})
        self.chunk, self.window = min(limits["chunk"], LIMITS["chunk"]), limits["window"]
        if kind != HELLO or 1 not in greeting.get("versions", []) or not 1024 <= self.chunk <= self.window:
            raise Breach(f"a frame of kind {kind} that is no greeting to work with: {greeting}")

    async def run(self):
        """Until the stream ends or the host says so. Returns the exit code."""
        stream = socket.socket(fileno=int(os.environ["MIDPLANE_FD"]))
        stream.set_inheritable(False)
        self.reader, self.writer = await asyncio.open_unix_connection(sock=stream)
        code = 0
        try:
            await self.greet()
            while (frame := await self.frame())[0] != SHUTDOWN:
                self.take(*frame)
                await asyncio.sleep(0)  # what it began has begun when the next frame, maybe CANCEL, comes
        except (EOFError, ConnectionError):
            return 0
        except Breach as breach:
            self.send_error(CONNECTION, "protocol_error", str(breach))
            code = 1
        self.writer.close()
        await asyncio.wait([asyncio.create_task(self.writer.wait_closed())], timeout=0.5)
        return code


# The plugin.


async def upper(peer, instance, payload):
    return payload.decode().upper().encode()


async def echo(peer, instance, payload):
    return payload


async def lines(peer, instance, payload):
    for line in payload.splitlines(keepends=True):
        yield line


async def remember(peer, instance, payload):
    await peer.ask(instance, STATE_SET, {"key": "it"}, payload)
    return await peer.ask(instance, STATE_GET, {"key": "it"})


async def wait(peer, instance, payload):
    await asyncio.Event().wait()


async def fail(peer, instance, payload):
    raise Fault("invalid_input", "as asked")


async def health(peer, instance, payload):
    return json.dumps({"status": "healthy"}).encode()


if __name__ == "__main__":
    sys.exit(asyncio.run(Peer([upper, echo, lines, remember, wait, fail], {HEALTH: health}).run()))
