"""Describes numbers and tables, as a plugin that is a gRPC service."""

import argparse
import csv
import io
import json
import statistics
import sys
from collections import Counter
from concurrent import futures

import grpc
import plugin_pb2 as pb
import plugin_pb2_grpc as rpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


class Refused(Exception):
    """What the service refuses, with a code for programs."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def numbers(data):
    """The `values` of an input."""
    try:
        values = json.loads(data)["values"]
        return [float(value) for value in values]
    except (ValueError, TypeError, KeyError) as error:
        raise Refused("invalid_input", f"write {{\"values\": [1, 2, 3]}}: {error}") from error


def described(values):
    if not values:
        raise Refused("no_values", "there is nothing to describe")
    return {
        "count": len(values),
        "mean": statistics.fmean(values),
        "median": statistics.median(values),
        "stdev": statistics.stdev(values) if len(values) > 1 else 0.0,
        "min": min(values),
        "max": max(values),
        "quartiles": statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3,
    }


def describe(data):
    return json.dumps(described(numbers(data))).encode()


def histogram(data):
    values, bins = numbers(data), json.loads(data).get("bins", 10)
    if not values or not isinstance(bins, int) or not 1 <= bins <= 1000:
        raise Refused("invalid_input", "there have to be values, and 1 to 1000 bins")
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / width), bins - 1)] += 1
    return json.dumps({"edges": [low + width * edge for edge in range(bins + 1)], "counts": counts}).encode()


def table(data):
    """One line for each column, as soon as it is described."""
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
        columns = {name: [] for name in rows.fieldnames or ()}
        for row in rows:
            for name, cells in columns.items():
                cells.append(row[name] or "")
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused("invalid_input", f"this is no CSV table: {error}") from error
    for name, cells in columns.items():
        try:
            facts = described([float(cell) for cell in cells if cell])
        except (ValueError, Refused):
            facts = {"count": len(cells), "distinct": len(set(cells)), "most_common": Counter(cells).most_common(3)}
        yield json.dumps({"column": name, **facts}).encode() + b"\n"


ACTIONS = {"describe": describe, "histogram": histogram, "table": table}


class Statistics(rpc.PluginServicer):
    def GetInfo(self, request, context):
        return pb.PluginInfo(id="statistics", name="Statistics", version="1.0.0",
                             description="Describes numbers and tables")

    def GetCapabilities(self, request, context):
        # Nothing is kept between calls: the host may ask another endpoint again when one goes away.
        return pb.Capabilities(actions=[
            pb.Action(name="describe", description="{values}: count, mean, median, …", idempotent=True),
            pb.Action(name="histogram", description="{values, bins?}: edges and counts", idempotent=True),
            pb.Action(name="table", description="CSV: a line for each column", idempotent=True, stream=True),
        ])

    def Call(self, request, context):
        try:
            return pb.CallReply(output=b"".join(answer(request.action, request.input)))
        except Refused as error:
            return pb.CallReply(error=pb.Error(code=error.code, message=str(error)))

    def CallStream(self, requests, context):
        action, pieces = "", []
        for part in requests:
            action = action or part.action
            pieces.append(part.input)
        try:
            for chunk in answer(action, b"".join(pieces)):
                yield pb.ReplyPart(output=chunk)
        except Refused as error:
            yield pb.ReplyPart(error=pb.Error(code=error.code, message=str(error)))


def answer(action, data):
    """The chunks of an action's reply."""
    if action not in ACTIONS:
        raise Refused("action_not_found", f"there is no action {action}")
    reply = ACTIONS[action](data)
    return [reply] if isinstance(reply, bytes) else reply


def credentials(given):
    """TLS, where a certificate is given; the host has to show one where an authority for it is given."""
    if not given.cert:
        return None

    def read(path):
        with open(path, "rb") as file:
            return file.read()

    clients = read(given.client_ca) if given.client_ca else None
    return grpc.ssl_server_credentials([(read(given.key), read(given.cert))], clients, clients is not None)


def main():
    arguments = argparse.ArgumentParser(description="describes numbers and tables, as a gRPC service")
    arguments.add_argument("--listen", default="localhost:50061", help="host:port; port 0 takes any that is free")
    arguments.add_argument("--cert", help="PEM file with the service's certificate")
    arguments.add_argument("--key", help="PEM file with its key")
    arguments.add_argument("--client-ca", help="PEM file with the authority of hosts' certificates")
    given = arguments.parse_args()
    # Hosts ping every 10 s, also without calls.
    options = [("grpc.http2.min_ping_interval_without_data_ms", 5000), ("grpc.keepalive_permit_without_calls", 1)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    rpc.add_PluginServicer_to_server(Statistics(), server)
    checks = health.HealthServicer()
    checks.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    secure = credentials(given)
    try:
        port = server.add_secure_port(given.listen, secure) if secure else server.add_insecure_port(given.listen)
    except RuntimeError as error:
        sys.exit(f"{given.listen} cannot be listened on: {error}")
    server.start()
    print(f"{'grpcs' if secure else 'grpc'}://{given.listen.rsplit(':', 1)[0]}:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
