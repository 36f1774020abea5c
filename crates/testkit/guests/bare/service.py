"""A plugin without any hook, as a gRPC service. Its one action answers with what the host says to `config.get` of `color`.

    python service.py FOLDER-OF-GENERATED-CODE [--listen HOST:PORT]

prints the address that it listens on as its first line. The methods that it does not have answer UNIMPLEMENTED.
"""

import collections
import queue
import threading

from serving import serve


class Session:
    """What is asked of one host, and what it answers. It calls one action at a time."""

    def __init__(self):
        self.requests, self.replies = queue.Queue(), queue.Queue()


def service(pb, rpc):
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


if __name__ == "__main__":
    serve("a plugin without hooks as a gRPC service", service, workers=16)
