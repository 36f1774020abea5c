"""The conformance plugin as a gRPC service, built from contract/plugin.proto alone.

    python plugin.py FOLDER-OF-GENERATED-CODE [--listen HOST:PORT]

prints the address that it listens on as its first line. It answers as guests/probe does; what each action takes and
gives stands there.
"""

import json
import os
import queue
import sys
import threading
import time

from serving import serve

# A test makes changed code by writing another version over this text.
VERSION = "probe-version-01"
MIB = 1024 * 1024
PART = MIB
HOOKS = ["validate_config", "config_changed", "get_config", "event", "dependency_changed", "export_state", "import_state"]


class Refusal(Exception):
    """An error that the plugin answers with on purpose."""

    def __init__(self, code, message, recoverable=None, data=None):
        super().__init__(message)
        self.code, self.recoverable, self.data = code, recoverable, data or {}


class Session:
    """What Initialize brings and calls change; one for each generation of each host."""

    def __init__(self):
        self.config, self.counter, self.history, self.events, self.kept = {}, 0, [], [], []
        self.identity = {}
        # What is asked of the host, and who waits for which answer.
        self.requests, self.waiting, self.lock, self.last = queue.Queue(), {}, threading.Lock(), 0

    def ask(self, call, function, args, payload=b""):
        """Asks the host and waits for its answer; an error of the host is a Refusal."""
        answer = queue.Queue(1)
        with self.lock:
            self.last += 1
            number = self.last
            self.waiting[number] = answer
        request = pb.HostRequest(id=number, call=call, function=function, args=compact(args).decode(), payload=payload)
        self.requests.put(request)
        reply = answer.get()
        if reply.HasField("error"):
            error = reply.error
            # What the host refuses the plugin is the plugin's own error to its caller.
            data = json.loads(error.data or "{}") | {"code": error.code}
            raise Refusal("plugin_error", error.message, error.recoverable, data)
        return reply.output

    def log(self, call, level, message, fields=None):
        """Writes to the host's log without waiting."""
        args = json.dumps({"level": level, "message": message, "fields": fields or {}})
        self.requests.put(pb.HostRequest(call=call, function="log", args=args))


class Call:
    """One request: its session, its number, and whether the host has given it up."""

    def __init__(self, plugin, context):
        metadata = dict(context.invocation_metadata())
        self.number = int(metadata.get("call-id", 0))
        self.session = plugin.session(metadata.get("session", ""))
        self.context = context

    def hang(self, release=None):
        self.session.log(self.number, "info", "hanging")
        while self.context.is_active() and not (release and os.path.exists(release)):
            time.sleep(0.001)

    def act(self, hook):
        """Does in a hook what the configuration asks for."""
        config, session = self.session.config, self.session
        session.log(self.number, "debug", f"hook {hook}")
        if hook in config.get("hang_in", ()):
            self.hang(config.get("release"))
        if hook in config.get("panic_in", ()):
            raise RuntimeError(config.get("message", "panicked on purpose"))
        if hook in config.get("fail_in", ()):
            raise Refusal("hook_failed", config.get("message", "failed on purpose"))

    def configure(self, hook, config):
        before, session = self.session.config, self.session
        session.history.append(hook)
        session.config = config
        try:
            self.act(hook)
            if config.get("reject"):
                raise Refusal("rejected", config.get("message", "the configuration asks to be rejected"))
        except BaseException:
            session.config = before
            raise


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def parsed(data):
    try:
        return json.loads(data) if data else None
    except ValueError as error:
        raise Refusal("invalid_input", str(error)) from error


def echo(call, data):
    return data


def version(call, data):
    return VERSION.encode()


def config(call, data):
    return json.dumps(call.session.config).encode()


def counter(call, data):
    call.session.counter += (parsed(data) or {}).get("add", 1)
    return json.dumps(call.session.counter).encode()


def history(call, data):
    return json.dumps(call.session.history).encode()


def events(call, data):
    return json.dumps(call.session.events).encode()


def identity(call, data):
    return json.dumps(call.session.identity).encode()


def fail(call, data):
    wanted = parsed(data)
    raise Refusal(wanted["code"], wanted["message"], wanted.get("recoverable", False), wanted.get("data"))


def panic(call, data):
    raise RuntimeError(data.decode())


def abort(call, data):
    os.abort()


def exit_(call, data):
    os._exit(parsed(data)["code"])


def recurse(call, data):
    def deeper(depth):
        return deeper(depth + 1) + depth

    return json.dumps(deeper(0)).encode()


def hang(call, data):
    call.hang((parsed(data) or {}).get("release"))
    return b""


def allocate(call, data):
    wanted = parsed(data)
    size = wanted["mib"] * MIB
    memory = bytearray(size)
    memory[::4096] = b"\1" * len(memory[::4096])
    if wanted.get("keep"):
        call.session.kept.append(memory)
    return json.dumps({"bytes": size, "pages": -(-size // 4096)}).encode()


def chunks(call, data):
    wanted = parsed(data)
    for number in range(wanted["count"]):
        yield bytes([number % 256]) * wanted["size"]


def sleep(call, data):
    time.sleep(parsed(data)["ms"] / 1000)
    return b""


def call_(call, data):
    wanted = parsed(data)
    args = {"address": wanted["address"]}
    if "deadline_ms" in wanted:
        args["deadline_ms"] = wanted["deadline_ms"]
    payload = wanted.get("input")
    payload = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    return call.session.ask(call.number, "call", args, payload)


def host(call, data):
    wanted = parsed(data)
    return call.session.ask(call.number, wanted["function"], wanted.get("args", {}), wanted.get("payload", "").encode())


def transcript(call, data):
    lines = []
    for step in parsed(data):
        try:
            payload = bytes.fromhex(step.get("payload", ""))
            reply = call.session.ask(call.number, step["function"], step["args"], payload)
            lines.append(f"ok {reply.hex()}")
        except Refusal as error:
            lines.append(f"error {error.data['code']} {str(error).encode().hex()}")
    return "\n".join(lines).encode()


def log(call, data):
    line = parsed(data)
    call.session.log(call.number, line["level"], line["message"], line.get("fields"))
    return b""


def process(call, data):
    return json.dumps({"pid": os.getpid()}).encode()


def environment(call, data):
    return json.dumps(dict(os.environ)).encode()


def print_(call, data):
    wanted = parsed(data)
    streams = {"stdout": sys.stdout, "stderr": sys.stderr}
    if wanted["stream"] not in streams:
        raise Refusal("invalid_input", f"{wanted['stream']} is no stream")
    print(wanted["text"], file=streams[wanted["stream"]], flush=True)
    return b""


ACTIONS = {
    "echo": echo, "version": version, "config": config, "counter": counter, "history": history, "events": events,
    "identity": identity,
    "fail": fail, "panic": panic, "abort": abort, "exit": exit_, "recurse": recurse, "hang": hang,
    "allocate": allocate, "chunks": chunks, "sleep": sleep, "call": call_, "host": host, "log": log,
    "transcript": transcript,
    "process": process, "environment": environment, "print": print_,
}  # fmt: skip


def refusal(error):
    told = pb.Error(code=error.code, message=str(error), data=json.dumps(error.data))
    if error.recoverable is not None:
        told.recoverable = error.recoverable
    return told


def service(*generated):
    """The service. Its base class is in generated code, which is found only when the program runs."""
    global pb, rpc
    pb, rpc = generated

    class Probe(rpc.PluginServicer):
        def __init__(self):
            self.sessions, self.lock = {}, threading.Lock()

        def session(self, name):
            with self.lock:
                return self.sessions.setdefault(name, Session())

        def GetInfo(self, request, context):
            return pb.PluginInfo(name="probe", description="The plugin that the conformance suite drives",
                                 metadata={"pid": str(os.getpid())})

        def GetCapabilities(self, request, context):
            actions = [pb.Action(name=name, idempotent=name == "echo", stream=name == "chunks") for name in ACTIONS]
            return pb.Capabilities(capabilities=["host"], actions=actions, hooks=HOOKS)

        def Initialize(self, request, context):
            call = Call(self, context)
            call.session.identity = {"id": request.plugin_id, "version": request.version,
                                     "generation": request.generation}
            try:
                call.configure("init", json.loads(request.config or "{}"))
            except Refusal as error:
                return pb.InitializeReply(success=False, message=str(error), error=refusal(error))
            return pb.InitializeReply(success=True)

        def step(self, hook, reply, context):
            call = Call(self, context)
            try:
                call.session.history.append(hook)
                call.act(hook)
            except Refusal as error:
                return reply(error=refusal(error))
            return reply()

        def Start(self, request, context):
            return self.step("start", pb.StartReply, context)

        def Stop(self, request, context):
            return self.step("stop", pb.StopReply, context)

        def Shutdown(self, request, context):
            reply = self.step("cleanup", pb.ShutdownReply, context)
            with self.lock:
                self.sessions.pop(dict(context.invocation_metadata()).get("session"), None)
            return reply

        def HealthCheck(self, request, context):
            call = Call(self, context)
            try:
                call.act("health")
            except Refusal as error:
                return pb.HealthReport(error=refusal(error))
            words = {"healthy": "SERVING", "degraded": "DEGRADED", "unhealthy": "NOT_SERVING"}
            status = pb.HealthReport.Status.Value(words[call.session.config.get("health") or "healthy"])
            return pb.HealthReport(status=status, details=json.dumps({"counter": call.session.counter}))

        def Call(self, request, context):
            try:
                return pb.CallReply(output=self.run(request.action, request.input, context))
            except Refusal as error:
                return pb.CallReply(error=refusal(error))

        def CallStream(self, requests, context):
            action, pieces = "", []
            for part in requests:
                action = action or part.action
                pieces.append(part.input)
            try:
                answer = ACTIONS[action](Call(self, context), b"".join(pieces)) if action in ACTIONS else missing(action)
                for chunk in pieces_of(answer) if isinstance(answer, bytes) else answer:
                    yield pb.ReplyPart(output=chunk)
            except Refusal as error:
                yield pb.ReplyPart(error=refusal(error))

        def run(self, action, data, context):
            answer = ACTIONS[action](Call(self, context), data) if action in ACTIONS else missing(action)
            return answer if isinstance(answer, bytes) else b"".join(answer)

        def Hook(self, request, context):
            call = Call(self, context)
            session = call.session
            try:
                if request.hook == "validate_config":
                    wanted, before = parsed(request.input) or {}, session.config
                    session.config = wanted
                    try:
                        call.act("validate_config")
                    finally:
                        session.config = before
                    if wanted.get("invalid"):
                        raise Refusal("config_invalid", "the configuration asks to be invalid")
                    return pb.HookReply()
                if request.hook == "config_changed":
                    call.configure("config_changed", parsed(request.input) or {})
                    return pb.HookReply()
                if request.hook == "get_config":
                    return pb.HookReply(output=json.dumps(session.config).encode())
                if request.hook == "event":
                    call.act("event")
                    session.events.append(parsed(request.input)["data"])
                    answer = session.config.get("answer")
                    return pb.HookReply(output=b"" if answer is None else compact(answer))
                if request.hook == "dependency_changed":
                    told = parsed(request.input)
                    session.history.append(f"dependency_changed {told['id']} {str(told['available']).lower()}")
                    call.act("dependency_changed")
                    return pb.HookReply()
                if request.hook == "export_state":
                    return pb.HookReply(output=str(session.counter).encode())
                if request.hook == "import_state":
                    session.counter = int(request.input)
                    return pb.HookReply()
            except Refusal as error:
                return pb.HookReply(error=refusal(error))
            return pb.HookReply(absent=True)

        def Host(self, replies, context):
            session = Call(self, context).session
            # The end of the stream wakes the sender.
            context.add_callback(lambda: session.requests.put(None))

            def listen():
                try:
                    for reply in replies:
                        with session.lock:
                            waiting = session.waiting.pop(reply.id, None)
                        if waiting:
                            waiting.put(reply)
                except Exception:
                    return  # The connection has ended.

            threading.Thread(target=listen, daemon=True).start()
            while (request := session.requests.get()) is not None:
                yield request

    return Probe()


def pieces_of(answer):
    return (answer[at : at + PART] for at in range(0, len(answer), PART))


def missing(action):
    raise Refusal("action_not_found", f"there is no action {action}")


if __name__ == "__main__":
    serve("the conformance plugin as a gRPC service", service, workers=64)
