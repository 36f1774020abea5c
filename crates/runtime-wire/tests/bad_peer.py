"""Peers that break the wire protocol, each in one way."""
import json
import os
import socket
import struct
import sys
import time

HEAD = struct.Struct("<BBHIIIII")
wire = socket.socket(fileno=int(os.environ["MIDPLANE_FD"]))


def frame(kind, ident=0, header=b"", payload=b"", flags=0, instance=0xFFFF, claim=None):
    size = len(payload) if claim is None else claim
    return HEAD.pack(kind, flags, instance, ident, len(header), size, 0, 0xFFFFFFFF) + header + payload


def greet(hello=None, magic=b"MIDPLANE"):
    hello = {"versions": [1]} if hello is None else hello
    wire.sendall(magic + frame(1, header=hello if isinstance(hello, bytes) else json.dumps(hello).encode()))


def load_id():
    """Reads up to LOAD and returns its id."""
    data = b""
    while True:
        data += wire.recv(65536)
        at = 8
        while len(data) - at >= HEAD.size:
            kind, _, _, ident, header, payload, _, _ = HEAD.unpack_from(data, at)
            if kind == 2:
                return ident
            at += HEAD.size + header + payload


how = sys.argv[1]
if how == "silent":
    print("thinking", file=sys.stderr, flush=True)
elif how == "garbage":
    wire.sendall(b"\x1b[31mhello, world\n")
elif how == "dies":
    1 / 0
elif how == "huge":
    greet()
    wire.sendall(frame(9, load_id(), claim=0xFFFFFFFF))
elif how == "unknown-kind":
    greet()
    wire.sendall(frame(99))
elif how == "deep":
    greet()
    wire.sendall(frame(9, load_id(), payload=b'{"details":{"x":' + b"[" * 65000))
elif how == "not-json":
    greet(b"versions: [1]")
elif how == "future":
    greet({"versions": [7]})
elif how == "twice":
    greet()
    greet(magic=b"")
elif how == "backwards":
    greet()
    wire.sendall(frame(5, load_id()))
elif how == "too-much":
    greet()
    ident = load_id()
    for _ in range(40):
        wire.sendall(frame(8, ident, payload=b"[" * 262144, flags=1))
elif how == "empty-pieces":
    greet()
    wire.sendall(frame(8, load_id(), flags=1))
elif how == "half-greeting":
    wire.sendall(b"MIDPLANE" + frame(1, header=b"{}")[:20])
    sys.exit(0)
elif how == "ping-flood":
    greet()
    while True:
        wire.sendall(frame(13) * 1000)
time.sleep(600)
