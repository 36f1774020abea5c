"""The plugin that the conformance suite drives, in Python. It answers as `guests/probe` does."""

import json
import os
import sys
import time

import midplane

plugin = midplane.Plugin(description="Does on request what plugins do by mistake.")

# A test makes changed code by writing others of the same length over these bytes.
VERSION = b"probe-version-01"

MIB, PAGE = 1024 * 1024, 4096


class Memory:
    """What one instance remembers."""

    given = {}
    counter = 0
    history = []
    events = []
    kept = []


# Plain actions.


@plugin.action(raw=True, idempotent=True)
def echo(input, ctx):
    """The input"""
    return input


@plugin.action
def version(input, ctx):
    """A constant of the code"""
    return VERSION


@plugin.action
def config(input, ctx):
    """The configuration in effect"""
    return Memory.given


@plugin.action
def counter(input, ctx):
    """{add?}: adds to this instance's counter, one unless it is said, and answers with it"""
    Memory.counter += 1 if input is None else input["add"]
    return Memory.counter


@plugin.action
def history(input, ctx):
    """The hooks that ran on this instance, in order"""
    return Memory.history


@plugin.action
def events(input, ctx):
    """The data of the events that this instance got, in order"""
    return Memory.events


@plugin.action
def identity(input, ctx):
    """What the host said to this instance about itself"""
    of = ctx.plugin
    return {"id": of.id, "version": of.version, "generation": of.generation, "number": of.instance}


# Every way in which a call can fail to answer.


@plugin.action
def fail(input, ctx):
    """{code, message, recoverable, data}: answers with this error"""
    raise midplane.PluginError(input["code"], input["message"], input.get("recoverable", False), input.get("data"))


def panic(input, ctx):
    """Panics with the input as its message"""
    raise RuntimeError(input.decode())


plugin.action("panic", raw=True)(panic)


@plugin.action
def abort(input, ctx):
    """Ends the process by SIGABRT, or traps"""
    os.abort()


@plugin.action("exit")
def leave(input, ctx):
    """{code}: ends the process with this code, or traps"""
    os._exit(input["code"])


@plugin.action("recurse")
def recurse_without_end(input, ctx):
    """Calls itself until the stack is full"""
    return recurse(0)


def recurse(depth):
    return recurse(depth + 1) + 1


@plugin.action
def hang(input, ctx):
    """{release?}: logs `hanging`, then loops until it is interrupted; native builds also until the file exists"""
    hang_until((input or {}).get("release"), ctx)


def hang_until(release, ctx):
    """Loops without ever giving way. The log line lets a test wait for the loop to have begun."""
    ctx.info("hanging")
    while not (release and os.path.exists(release)):
        if release:
            time.sleep(0.001)


# Memory, time, chunks.


@plugin.action
def allocate(input, ctx):
    """{mib, keep?}: takes that much memory and touches all of it; answers {bytes, pages}"""
    count = input["mib"] * MIB
    memory = bytearray(count)
    pages = 0
    for at in range(0, count, PAGE):
        memory[at] = 1
        pages += memory[at]
    if input.get("keep"):
        Memory.kept.append(memory)
    return {"bytes": count, "pages": pages}


@plugin.action
def chunks(input, ctx):
    """{count, size}: replies in so many writes; every byte of chunk n is n modulo 256"""
    for number in range(input["count"]):
        yield bytes([number % 256]) * input["size"]


@plugin.action
def sleep(input, ctx):
    """{ms}: sleeps; not in WebAssembly"""
    time.sleep(input["ms"] / 1000)


# What is asked of the host.


@plugin.action
def call(input, ctx):
    """{address, input?, deadline_ms?}: calls another plugin and answers with its reply, or its error"""
    given = input.get("input")
    payload = given.encode() if isinstance(given, str) else midplane_json(given)
    limit = input.get("deadline_ms")
    return ctx.call(input["address"], payload, None if limit is None else limit / 1000, raw=True)


@plugin.action
def host(input, ctx):
    """{function, args?, payload?}: asks the host and answers with what it says, or its error"""
    return ctx.host(input["function"], input.get("args"), input.get("payload"))


@plugin.action(raw=True)
def transcript(script, ctx):
    """[{function, args, payload?}], payloads in hexadecimal: asks the host for one after the other and answers with a line
    for each, `ok REPLY` or `error CODE MESSAGE`, reply and message in hexadecimal"""
    lines = []
    for step in json.loads(script):
        try:
            reply = ctx.host(step["function"], step["args"], bytes.fromhex(step.get("payload", "")))
            lines.append(f"ok {reply.hex()}")
        except midplane.HostError as error:
            lines.append(f"error {error.code} {error.message.encode().hex()}")
    return "\n".join(lines)


@plugin.action
def log(input, ctx):
    """{level, message, fields?}: writes a line to the log"""
    if input["level"] not in ("trace", "debug", "info", "warn", "error"):
        raise midplane.PluginError("invalid_input", f"{input['level']} is no level")
    ctx.log(input["level"], input["message"], input.get("fields"))


def midplane_json(value):
    return json.dumps(value).encode()


# What surrounds it.


@plugin.action
def process(input, ctx):
    """{pid} of the process that this runs in; null in WebAssembly"""
    return {"pid": os.getpid()}


@plugin.action
def environment(input, ctx):
    """The environment's variables"""
    return dict(os.environ)


@plugin.action("print")
def write(input, ctx):
    """{stream, text}: writes a line to standard output or error"""
    if input["stream"] not in ("stdout", "stderr"):
        raise midplane.PluginError("invalid_input", f"{input['stream']} is no stream")
    print(input["text"], file=getattr(sys, input["stream"]))


# Hooks, and what the configuration makes of them.


def act(config, hook, ctx):
    """Does in a hook what the configuration asks for: nothing, fail, panic or hang."""
    if hook in config.get("hang_in", ()):
        hang_until(config.get("release"), ctx)
    if hook in config.get("panic_in", ()):
        raise RuntimeError(config.get("message") or "panicked on purpose")
    if hook in config.get("fail_in", ()):
        raise midplane.PluginError("hook_failed", config.get("message") or "failed on purpose")


def passes(hook, ctx):
    """Notes the hook, says so in the log, and does what the configuration asks for."""
    Memory.history.append(hook)
    ctx.debug(f"hook {hook}")
    act(Memory.given, hook, ctx)


def configure(hook, given, ctx):
    """Takes a configuration; a refused one leaves the present one in effect."""
    Memory.history.append(hook)
    ctx.debug(f"hook {hook}")
    act(given, hook, ctx)
    if given.get("reject"):
        raise midplane.PluginError("rejected", given.get("message") or "the configuration asks to be rejected")
    Memory.given = given


@plugin.on_validate_config
def validate_config(config, ctx):
    act(config, "validate_config", ctx)
    if config.get("invalid"):
        raise midplane.PluginError("config_invalid", "the configuration asks to be invalid")


@plugin.on_init
def init(config, ctx):
    configure("init", config, ctx)


@plugin.on_config_changed
def config_changed(config, ctx):
    configure("config_changed", config, ctx)


@plugin.get_config
def effective_config(ctx):
    return Memory.given


@plugin.on_event
def event(event, ctx):
    act(Memory.given, "event", ctx)
    Memory.events.append(event["data"])
    return Memory.given.get("answer")


@plugin.on_dependency_changed
def dependency_changed(id, available, ctx):
    Memory.history.append(f"dependency_changed {id} {str(available).lower()}")
    act(Memory.given, "dependency_changed", ctx)


@plugin.on_start
def start(ctx):
    passes("start", ctx)


@plugin.on_stop
def stop(ctx):
    passes("stop", ctx)


@plugin.on_cleanup
def cleanup(ctx):
    passes("cleanup", ctx)


@plugin.on_health_check
def health(ctx):
    act(Memory.given, "health", ctx)
    return {"status": Memory.given.get("health") or "healthy", "details": {"counter": Memory.counter}}


@plugin.export_state
def exported(ctx):
    passes("export_state", ctx)
    return str(Memory.counter)


@plugin.import_state
def imported(state, ctx):
    passes("import_state", ctx)
    Memory.counter = int(state)
