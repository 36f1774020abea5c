"""The plugin of peer.py, reached in other ways: over stdin and stdout, or at an address where it listens. And what
peer.py does not do: takes requests to the host back, and leaves answers lying."""
import asyncio
import json
import os
import shutil
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer  # noqa: E402


def pump(read, write, end):
    while data := read():
        write(data)
    end()


def stdio():
    """Puts a socket in front of stdin and stdout."""
    ours, theirs = socket.socketpair()
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else is printed goes to the log
    threads = [
        threading.Thread(target=pump, args=(lambda: os.read(0, 65536), ours.sendall, ours.close), daemon=True),
        threading.Thread(target=pump, args=(lambda: ours.recv(65536), out.write, out.close), daemon=True),
    ]
    for thread in threads:
        thread.start()
    return theirs


def listen():
    """Waits for the host at the address that it has named."""
    network, address = os.environ["PLUGIN_RPC_NETWORK"], os.environ["PLUGIN_RPC_ADDRESS"]
    if network == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
    else:
        host, port = address.rsplit(":", 1)
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        # What asyncio calls a Unix connection takes sockets of that family alone.
        peer.asyncio.open_unix_connection = asyncio.open_connection
    listener.listen(1)
    return listener.accept()[0]


async def half(self, instance, payload):
    """Begins 300 requests to the host and takes them back; 256 may be under way."""
    for _ in range(300):
        self.last_id += 2
        key = (instance, self.last_id)
        exchange = self.exchanges[key] = peer.Exchange(self.window)
        header = json.dumps({"key": "never"}).encode()
        self.send(peer.HOST, key, b"half", flags=peer.MORE, value=peer.STATE_SET, header=header)
        self.send(peer.CANCEL, key)
        try:
            await exchange.answered
        except peer.Fault as fault:
            assert fault.args[0] == "cancelled", fault
    return await self.ask(instance, peer.STATE_GET, {"key": "it"})


async def unread(self, instance, payload):
    """Asks for something large ten times and gives no credit for the answers; then for what is small."""
    for _ in range(10):
        self.last_id += 2
        key = (instance, self.last_id)
        self.exchanges[key] = exchange = peer.Exchange(self.window)
        exchange.room = 1 << 40
        self.send(peer.HOST, key, value=peer.STATE_GET, header=json.dumps({"key": "it"}).encode())
    self.last_id += 2
    try:
        await self.asking((instance, self.last_id), 14, b"{}", b"")
    except peer.Fault as fault:
        return fault.args[0].encode()


class Peer(peer.Peer):
    def arrive(self, key, exchange, payload, last):
        if exchange.room > 1 << 30:
            return
        super().arrive(key, exchange, payload, last)


async def spin(self, instance, payload):
    """Blocks the thread that reads as well."""
    while True:
        pass


async def environment(self, instance, payload):
    return json.dumps(dict(os.environ)).encode()


if __name__ == "__main__":
    if "flood" in sys.argv:
        print("x" * 1_000_000, flush=True)
    if "dies" in sys.argv:
        sys.exit("no such database")
    if "deaf" in sys.argv:
        threading.Event().wait()
    if "garbage" in sys.argv:
        print("Listening on port 8080.", flush=True)
        shutil.copyfileobj(sys.stdin, sys.stderr)
    if "descriptor" not in sys.argv:
        stream = listen() if "PLUGIN_RPC_NETWORK" in os.environ else stdio()
        os.environ["MIDPLANE_FD"] = str(stream.detach())
    actions = [peer.upper, peer.echo, peer.lines, peer.remember, peer.wait, peer.fail, half, unread, environment, spin]
    sys.exit(asyncio.run(Peer(actions, {peer.HEALTH: peer.health}).run()))
