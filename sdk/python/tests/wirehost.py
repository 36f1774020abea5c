"""The host's side of the wire in a hundred lines: starts the real program on a socket and speaks `contract/wire.md`."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap

HEAD = struct.Struct("<BBHIIIII")
HELLO, LOAD, OPEN, CLOSE, CALL, HOOK, HOST, DATA, DONE, ERROR, CANCEL, CREDIT, PING, PONG, SHUTDOWN = range(1, 16)
MORE, STREAM, ABSENT = 1, 2, 4
PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src", "midplane", "__main__.py")


class Failed(Exception):
    """The plugin answered with an error."""

    def __init__(self, record):
        super().__init__(record)
        self.record = record
        self.code = record["code"]


class Host:
    """One plugin process. `answers` maps numbers of host functions to what they give for (args, payload)."""

    def __init__(self, source, limits=None, answers=None, config=None, more=()):
        self.folder = tempfile.TemporaryDirectory()
        self.main = os.path.join(self.folder.name, "plugin.py")
        with open(self.main, "w") as file:
            file.write(textwrap.dedent(source))
        for name, text in more:
            with open(os.path.join(self.folder.name, name), "w") as file:
                file.write(textwrap.dedent(text))
        self.answers, self.asked, self.seen = answers or {}, [], []
        self.limits, self.last, self.buffer = limits or {}, -1, b""
        ours, theirs = socket.socketpair()
        ours.settimeout(60)
        self.wire = ours
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-u", PROGRAM], pass_fds=[theirs.fileno()], cwd=self.folder.name,
            env={"PATH": os.environ["PATH"], "MIDPLANE_FD": str(theirs.fileno())},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self.wire.sendall(b"MIDPLANE")
        self.send(HELLO, 65535, 0, header=json.dumps({"versions": [1]}).encode())
        self.greeting = self.until_magic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    # Frames.

    def send(self, kind, instance, id, payload=b"", flags=0, value=0, header=b"", time=0xFFFFFFFF):
        head = HEAD.pack(kind, flags, instance, id, len(header), len(payload), value, time)
        self.wire.sendall(head + header + payload)

    def exactly(self, count):
        while len(self.buffer) < count:
            data = self.wire.recv(1 << 20)
            if not data:
                raise EOFError
            self.buffer += data
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def frame(self):
        kind, flags, instance, id, header, payload, value, _ = HEAD.unpack(self.exactly(HEAD.size))
        return kind, flags, instance, id, value, self.exactly(header), self.exactly(payload)

    def until_magic(self):
        assert self.exactly(8) == b"MIDPLANE"
        kind, _, instance, _, _, header, _ = self.frame()
        assert (kind, instance) == (HELLO, 65535)
        return json.loads(header)

    # Requests.

    def ask(self, kind, payload=b"", value=0, instance=0, header=b"", flags=0, time=0xFFFFFFFF):
        """Sends a request, in pieces where it has to be, without waiting. Its id."""
        self.last += 2
        at, room = 0, 1 << 20
        while True:
            size = min(len(payload) - at, 262144, room)
            more = MORE if at + size < len(payload) else 0
            first = at == 0
            self.send(kind if first else DATA, instance, self.last, payload[at : at + size], (flags if first else 0) | more,
                      value if first else 0, header if first else b"", time)
            at, room = at + size, room - size
            if not more:
                return self.last
            while not room:
                frame = self.frame()
                assert frame[0] == CREDIT, frame
                room += frame[4]

    def answer(self, id, chunks=None):
        """Waits for the answer to a request; answers what the plugin asks meanwhile."""
        body = b""
        while True:
            frame = self.frame()
            kind, flags, instance, of, value, header, payload = frame
            if kind == HOST:
                self.serve(frame)
            elif of != id:
                self.seen.append(frame)
            elif kind == ERROR:
                raise Failed(json.loads(payload))
            elif kind in (DATA, DONE):
                body += payload
                if chunks is not None and payload:
                    chunks.append(payload)
                if kind == DONE:
                    return None if flags & ABSENT else body
                self.send(CREDIT, instance, of, value=len(payload))

    def serve(self, frame):
        """Answers a question of the plugin, once it has come in full."""
        _, flags, instance, id, function, header, payload = frame
        args = json.loads(header or b"{}")
        while flags & MORE:
            kind, more, where, of, _, _, piece = found = self.frame()
            if (kind, where, of) != (DATA, instance, id):
                self.seen.append(found)
                continue
            flags, payload = more, payload + piece
            self.send(CREDIT, instance, id, value=len(piece))
        self.asked.append((function, args, payload))
        try:
            if function == 0:
                found = b""
            else:
                found = self.answers[function](args, payload)
            self.send_pieces(instance, id, found)
        except KeyError:
            self.send(ERROR, instance, id, json.dumps({"code": "not_supported", "message": "not here"}).encode())
        except Failed as failed:
            self.send(ERROR, instance, id, json.dumps(failed.record).encode())

    def send_pieces(self, instance, id, body):
        """An answer, in pieces as credit allows."""
        at, room = 0, 1 << 20
        while len(body) - at > 262144:
            size = min(262144, room)
            self.send(DATA, instance, id, body[at : at + size], MORE)
            at, room = at + size, room - size
            while not room:
                frame = self.frame()
                assert (frame[0], frame[3]) == (CREDIT, id), frame
                room += frame[4]
        self.send(DONE, instance, id, body[at:])

    def load(self):
        """LOAD and OPEN; what the plugin says of itself."""
        load = {"manifest": {"id": "p"}, "folder": self.folder.name, "main": self.main, "limits": self.limits}
        self.facts = json.loads(self.answer(self.ask(LOAD, json.dumps(load).encode(), instance=65535)))
        about = {"plugin": "p", "version": "1.2.3", "generation": 4}
        self.answer(self.ask(OPEN, header=json.dumps(about).encode()))
        return self

    def call(self, name, payload=b"", chunks=None, **more):
        """Calls an action and gives its bytes."""
        flags = STREAM if chunks is not None else 0
        return self.answer(self.begin(name, payload, flags=flags, **more), chunks)

    def begin(self, name, payload=b"", **more):
        """Calls an action without waiting; the id."""
        return self.ask(CALL, payload, self.facts["actions"].index(name), **more)

    def hook(self, number, payload=b""):
        """Runs a hook; None where there is none."""
        return self.answer(self.ask(HOOK, payload, number))

    def logged(self):
        """The lines that the plugin has logged."""
        return [args["message"] for function, args, _ in self.asked if function == 0]

    def until_logged(self, line):
        """Waits until the plugin has logged this."""
        while line not in self.logged():
            frame = self.frame()
            if frame[0] == HOST:
                self.serve(frame)
            else:
                self.seen.append(frame)
