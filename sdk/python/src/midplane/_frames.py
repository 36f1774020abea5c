"""Numbers of the wire protocol, ``contract/wire.md`` version 1."""

import struct

HEAD = struct.Struct("<BBHIIIII")

HELLO, LOAD, OPEN, CLOSE, CALL, HOOK, HOST, DATA, DONE, ERROR, CANCEL, CREDIT, PING, PONG, SHUTDOWN = range(1, 16)
KINDS = ("", "HELLO", "LOAD", "OPEN", "CLOSE", "CALL", "HOOK", "HOST", "DATA", "DONE", "ERROR", "CANCEL", "CREDIT",
         "PING", "PONG", "SHUTDOWN")
MORE, STREAM, ABSENT = 1, 2, 4
CONNECTION = 65_535
NO_DEADLINE = 0xFFFF_FFFF
MAGIC = b"MIDPLANE"

# What this side accepts, and what is assumed of a host that does not say: the contract's numbers.
HEADER, CHUNK, PAYLOAD, WINDOW = 65_536, 262_144, 67_108_864, 1_048_576
# Requests that may wait for the instance, and questions that the host may be asked at once.
QUEUE, ASKS = 16, 256

HOOKS = ("info", "validate_config", "init", "start", "stop", "cleanup", "health", "ping", "get_config",
         "config_changed", "event", "dependency_changed", "export_state", "import_state", "migrate", "migrate_back")

FUNCTIONS = ("log", "config.get", "state.get", "state.set", "state.compare_and_set", "state.delete", "state.list",
             "bus.publish", "bus.request", "bus.subscribe", "bus.unsubscribe", "call", "service.find", "service.call",
             "http.fetch", "metrics.count", "metrics.gauge", "metrics.observe", "secret.get", "time.now",
             "time.monotonic", "random")


class Breach(Exception):
    """The host broke the protocol."""
