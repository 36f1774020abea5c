"""A plugin without any hook, as a gRPC service. Its one action answers with what the host says to `config.get` of `color`.

    python service.py FOLDER-OF-GENERATED-CODE [--listen HOST:PORT]

prints the address that it listens on as its first line. The methods that it does not have answer UNIMPLEMENTED.
"""

import argparse
import collections
import ctypes
import queue
import signal
import sys
import threading
from concurrent import futures


class Session:
    """What is asked of one host, and what it answers. It calls one action at a time."""

    def __init__(self):
        self.requests, self.replies = queue.Queue(), queue.Queue()


def service():
    """The service. Its base class is in generated code, which is found only when the program runs."""

    class Bare(rpc.PluginServicer):
        sessions = collections.defaultdict(Session)

        def session(self, context):
            return self.sessions[dict(context.invocation_metadata()).get("session", "")]

        def GetInfo(self, request, context):
            return pb.PluginInfo(name="bare")

        def GetCapabilities(self, request, context):
            return pb.Capabilities(capabilities=["host"], actions=[pb.Action(name="color")])

        def Call(self, request, context):
            session, call = self.session(context), dict(context.invocation_metadata())["call-id"]
            asked = pb.HostRequest(id=1, call=int(call), function="config.get", args='{"key":"color"}')
            session.requests.put(asked)
            reply = session.replies.get()
            return pb.CallReply(output=reply.output, error=reply.error if reply.HasField("error") else None)

        def Host(self, replies, context):
            session = self.session(context)
            # The end of the stream wakes the sender.
            context.add_callback(lambda: session.requests.put(None))

            def listen():
                try:
                    for reply in replies:
                        session.replies.put(reply)
                except Exception:
                    return  # The connection has ended.

            threading.Thread(target=listen, daemon=True).start()
            yield from iter(session.requests.get, None)

    return Bare()


def main():
    arguments = argparse.ArgumentParser(description="a plugin without hooks as a gRPC service")
    arguments.add_argument("generated", help="the folder of the code that was generated from contract/plugin.proto")
    arguments.add_argument("--listen", default="127.0.0.1:0")
    given = arguments.parse_args()
    # The service ends with whoever started it.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    sys.path.insert(0, given.generated)

    global pb, rpc
    import grpc
    import plugin_pb2 as pb
    import plugin_pb2_grpc as rpc
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc

    options = [("grpc.http2.min_ping_interval_without_data_ms", 5000), ("grpc.keepalive_permit_without_calls", 1)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    rpc.add_PluginServicer_to_server(service(), server)
    checks = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    checks.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port(given.listen)
    server.start()
    print(f"grpc://{given.listen.rsplit(':', 1)[0]}:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
