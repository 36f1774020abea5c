"""What the plugins that are gRPC services share: their command line, and how they are served."""

import argparse
import ctypes
import signal
import sys
from concurrent import futures


def serve(description, service, workers):
    """Serves `service(pb, rpc)`, which gets the generated modules, until the program ends.

    python PROGRAM FOLDER-OF-GENERATED-CODE [--listen HOST:PORT]

    prints the address that it listens on as its first line.
    """
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("generated", help="the folder of the code that was generated from contract/plugin.proto")
    arguments.add_argument("--listen", default="127.0.0.1:0")
    given = arguments.parse_args()
    # The service ends with whoever started it.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    sys.path.insert(0, given.generated)

    import grpc
    import plugin_pb2 as pb
    import plugin_pb2_grpc as rpc
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc

    options = [
        ("grpc.http2.min_ping_interval_without_data_ms", 5000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=workers), options=options)
    rpc.add_PluginServicer_to_server(service(pb, rpc), server)
    checks = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    checks.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port(given.listen)
    server.start()
    print(f"grpc://{given.listen.rsplit(':', 1)[0]}:{port}", flush=True)
    server.wait_for_termination()
