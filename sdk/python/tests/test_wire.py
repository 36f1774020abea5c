"""The program that hosts start, over a real socket."""

import json
import os
import signal
import unittest

from wirehost import CANCEL, HEAD, LOAD, MORE, OPEN, PING, PONG, SHUTDOWN, Failed, Host

PLUGIN = """
import os, time, threading
import midplane

plugin = midplane.Plugin(description="For tests")

@plugin.action(raw=True)
def echo(input, ctx):
    return input

@plugin.action
def add(input, ctx):
    "Adds. In one line."
    return input["a"] + input["b"]

@plugin.action
def fail(input, ctx):
    raise midplane.PluginError("sold_out", "none left", True, {"sku": 7})

@plugin.action
def crash(input, ctx):
    raise KeyError("missing")

@plugin.action
def odd(input, ctx):
    return object()

@plugin.action
def chunks(input, ctx):
    for number in range(input["count"]):
        yield bytes([number % 256]) * input["size"]

@plugin.action
def spin(input, ctx):
    ctx.info("spinning")
    while True:
        pass

@plugin.action
def sleep(input, ctx):
    ctx.info("sleeping")
    try:
        time.sleep(1000)
    finally:
        ctx.info("woken")

@plugin.action
def remember(input, ctx):
    ctx.state.set("it", input["value"], ttl=1.5)
    return ctx.state.get("it").decode()

@plugin.action
def large(input, ctx):
    ctx.state.set("it", bytes(3 << 20))
    return len(ctx.state.get("it"))

@plugin.action
def elsewhere(input, ctx):
    found = []
    thread = threading.Thread(target=lambda: found.append(ctx.call("other/thing", {"x": 1})))
    thread.start()
    thread.join()
    return found[0]

@plugin.action
def who(input, ctx):
    return [ctx.plugin.id, ctx.plugin.version, ctx.plugin.generation, ctx.plugin.instance, ctx.caller, ctx.trace,
            ctx.deadline is None, ctx.remaining()]

@plugin.action
def chatter(input, ctx):
    for number in range(1000):
        ctx.debug(str(number))

@plugin.action
def configured(input, ctx):
    return ctx.config

@plugin.on_health_check
def health(ctx):
    return "degraded"

@plugin.export_state
def state(ctx):
    return "text"

@plugin.migrate
def migrate(schema, state, ctx):
    return schema.encode() + b":" + state
"""


class Wire(unittest.TestCase):
    def setUp(self):
        self.host = Host(PLUGIN)
        self.addCleanup(self.host.__exit__)
        self.host.load()

    def failure(self, *call, **more):
        with self.assertRaises(Failed) as caught:
            self.host.call(*call, **more)
        return caught.exception.record

    def cancelled(self, id):
        self.host.send(CANCEL, 0, id)
        with self.assertRaises(Failed) as caught:
            self.host.answer(id)
        self.assertEqual(caught.exception.code, "cancelled")

    def test_it_says_what_it_offers(self):
        facts = self.host.facts
        self.assertEqual(facts["info"]["description"], "For tests")
        described = {action["name"]: action.get("description") for action in facts["info"]["actions"]}
        self.assertEqual(described["add"], "Adds. In one line.")
        self.assertEqual(facts["hooks"], ["init", "health", "config_changed", "export_state", "migrate"])

    def test_values_are_json_and_bytes_are_bytes(self):
        self.assertEqual(self.host.call("add", b'{"a": 1, "b": 2}'), b"3")
        self.assertEqual(self.host.call("echo", b"\0\xff"), b"\0\xff")
        self.assertEqual(self.host.call("echo"), b"")

    def test_errors_are_told_apart(self):
        record = self.failure("fail")
        self.assertEqual((record["code"], record["data"]["code"], record["data"]["data"]), ("plugin_error", "sold_out", {"sku": 7}))
        self.assertTrue(record["recoverable"])
        record = self.failure("crash")
        self.assertEqual((record["code"], record["message"]), ("panicked", "KeyError: 'missing'"))
        self.assertIn("in crash", record["data"]["stack"])
        self.assertNotIn("_session.py", record["data"]["stack"])
        self.assertEqual(self.failure("add", b"{")["code"], "invalid_input")
        self.assertEqual(self.failure("odd")["code"], "panicked")
        self.assertEqual(self.host.call("echo", b"on"), b"on")

    def test_large_messages_come_in_pieces(self):
        large = os.urandom(5 << 20)
        self.assertEqual(self.host.call("echo", large), large)

    def test_chunks_come_as_they_are_made(self):
        chunks = []
        whole = self.host.call("chunks", b'{"count": 30, "size": 10000}', chunks)
        self.assertEqual([len(chunk) for chunk in chunks], [10000] * 30)
        self.assertEqual(whole, self.host.call("chunks", b'{"count": 30, "size": 10000}'))
        chunks.clear()
        whole = self.host.call("chunks", b'{"count": 30, "size": 90000}', chunks)
        self.assertEqual((whole, b"".join(chunks)), (b"".join(bytes([n]) * 90000 for n in range(30)),) * 2)

    def test_an_action_is_interrupted_wherever_it_is(self):
        for name, line in (("spin", "spinning"), ("sleep", "sleeping")):
            id = self.host.begin(name)
            self.host.until_logged(line)
            self.cancelled(id)
            self.assertEqual(self.host.call("echo", b"on"), b"on")
        self.assertIn("woken", self.host.logged())

    def test_pings_are_answered_during_a_long_action(self):
        id = self.host.begin("spin")
        self.host.until_logged("spinning")
        self.host.send(PING, 0, 77)
        while (PONG, 77) not in [(frame[0], frame[3]) for frame in self.host.seen]:
            self.host.seen.append(self.host.frame())
        self.cancelled(id)

    def test_what_waits_is_cancelled_or_answered_in_turn(self):
        first = self.host.begin("spin")
        self.host.until_logged("spinning")
        second, third = self.host.begin("echo", b"2"), self.host.begin("echo", b"3")
        self.cancelled(second)
        self.cancelled(first)
        self.assertEqual(self.host.answer(third), b"3")

    def test_a_request_can_be_cancelled_before_it_is_complete(self):
        self.host.last += 2
        self.host.send(5, 0, self.host.last, b"half", MORE, 0)
        self.cancelled(self.host.last)

    def test_the_host_is_asked(self):
        kept = {}
        self.host.answers[3] = lambda args, payload: kept.update({args["key"]: (args, payload)}) or b""
        self.host.answers[2] = lambda args, payload: kept[args["key"]][1]
        self.assertEqual(self.host.call("remember", b'{"value": "x"}'), b'"x"')
        self.assertEqual(kept["it"], ({"key": "it", "ttl_ms": 1500}, b"x"))

    def test_large_questions_and_answers_pass(self):
        kept = []
        self.host.answers[3] = lambda args, payload: kept.append(payload) or b""
        self.host.answers[2] = lambda args, payload: kept[0]
        self.assertEqual(self.host.call("large"), str(3 << 20).encode())
        self.assertEqual(kept, [bytes(3 << 20)])

    def test_threads_ask_too(self):
        self.host.answers[11] = lambda args, payload: b'["' + args["address"].encode() + b'"]'
        self.assertEqual(self.host.call("elsewhere"), b'["other/thing"]')

    def test_what_the_host_refuses_is_the_plugins_answer_unless_it_is_caught(self):
        record = self.failure("remember", b'{"value": "x"}')
        self.assertEqual((record["code"], record["data"]["code"]), ("plugin_error", "not_supported"))

    def test_a_flood_of_log_lines_arrives_whole(self):
        self.host.call("chatter")
        self.assertEqual(self.host.logged(), [str(number) for number in range(1000)])

    def test_identity_and_origin(self):
        origin = json.dumps({"caller": [{"plugin": "a", "action": "b"}], "trace": "t"}).encode()
        found = json.loads(self.host.call("who", header=origin, time=30_000))
        self.assertEqual(found[:7], ["p", "1.2.3", 4, 0, [{"plugin": "a", "action": "b"}], "t", False])
        self.assertTrue(0 < found[7] <= 30)

    def test_hooks(self):
        self.assertEqual(self.host.hook(6), b'{"status":"degraded"}')
        self.assertEqual(self.host.hook(12), b"text")
        self.assertEqual(self.host.hook(14, b'{"from": "1"}\n\0rest'), b"1:\0rest")
        self.assertIsNone(self.host.hook(3))

    def test_the_configuration_is_known_without_a_hook_for_it(self):
        self.assertEqual(self.host.hook(2, b'{"a": 1}'), b"")
        self.assertEqual(self.host.call("configured"), b'{"a":1}')
        self.host.hook(9, b'{"a": 2}')
        self.assertEqual(self.host.call("configured"), b'{"a":2}')

    def test_a_second_instance_and_a_second_plugin_are_refused(self):
        with self.assertRaises(Failed) as caught:
            self.host.answer(self.host.ask(OPEN, header=b"{}", instance=1))
        self.assertEqual(caught.exception.code, "not_supported")
        with self.assertRaises(Failed) as caught:
            self.host.answer(self.host.ask(LOAD, b"{}", instance=65535))
        self.assertEqual(caught.exception.code, "already_loaded")

    def test_it_ends_when_it_is_told_to_and_when_its_host_is_gone(self):
        self.host.send(SHUTDOWN, 65535, 0)
        self.assertEqual(self.host.process.wait(60), 0)
        with Host(PLUGIN) as host:
            host.load()
            host.wire.close()
            self.assertEqual(host.process.wait(60), 0)

    def test_it_ends_during_an_action_too(self):
        self.host.begin("spin")
        self.host.until_logged("spinning")
        self.host.wire.close()
        self.assertEqual(self.host.process.wait(60), 0)

    def test_breaches_of_the_protocol_end_it(self):
        for bad in (HEAD.pack(99, 0, 0, 1, 0, 0, 0, 0), HEAD.pack(7, 0, 0, 2, 0, 0, 0, 0),
                    HEAD.pack(5, 0, 0, 1, 70_000, 0, 0, 0), HEAD.pack(8, MORE, 0, 1, 0, 0, 0, 0)):
            with Host(PLUGIN) as host:
                host.load()
                host.wire.sendall(bad)
                self.assertEqual(host.process.wait(60), 1)


class Limits(unittest.TestCase):
    def test_memory_is_an_error_of_the_call(self):
        source = "def fill(input): return len(bytearray(input))\nactions = [fill]"
        with Host(source, limits={"memory": 64 << 20, "file_descriptors": 32}) as host:
            host.load()
            with self.assertRaises(Failed) as caught:
                host.call("fill", b"800000000")
            self.assertEqual(caught.exception.record["data"], {"limit": 64 << 20})
            self.assertEqual(host.call("fill", b"1000000"), b"1000000")

    def test_a_crash_says_where(self):
        with Host("import os\ndef die(): os.kill(os.getpid(), 11)\nactions = [die]") as host:
            host.load()
            host.begin("die")
            self.assertEqual(host.process.wait(60), -signal.SIGSEGV)
            self.assertIn(b"in die", host.process.stdout.read())

    def test_exit_is_an_exit(self):
        with Host("import sys\ndef leave(): sys.exit(3)\nactions = [leave]") as host:
            host.load()
            host.begin("leave")
            self.assertEqual(host.process.wait(60), 3)


if __name__ == "__main__":
    unittest.main()
