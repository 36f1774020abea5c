"""The host API: what goes to the host, and what is made of its answers."""

import datetime
import unittest

import context  # noqa: F401
import midplane
from midplane._frames import FUNCTIONS
from midplane.testing import Bench

plugin = midplane.Plugin()


@plugin.action
def store(_, ctx):
    state = ctx.state
    state.set_json("a/1", {"n": 1})
    state.set("a/2", "old", ttl=1.1)
    written = state.compare_and_set("a/2", b"old", "new", ttl=0.0000001)
    lost = state.compare_and_set("a/2", "old", "other")
    fresh = state.compare_and_set("b", None, "")
    kept = [state.get_json("a/1"), state.get("a/2").decode(), state.get("b").decode()]
    state.delete("b")
    return [written, lost, fresh, kept, state.get("b"), state.get_json("b"), state.list("a/"), state.list()]


@plugin.action
async def absent(_, ctx):
    return [await ctx.state.get("none"), await ctx.state.get_json("none"), await ctx.state.compare_and_set("k", None, "v")]


@plugin.action
def others(_, ctx):
    ctx.call("a/b", 1, deadline=2)
    ctx.bus.request("t", [1], deadline=-1)
    ctx.bus.request("t", "plain", content_type="text/plain", raw=True)
    ctx.bus.subscribe("t")
    ctx.bus.subscribe("t.*", group="g", filter={"color": "red"})
    ctx.bus.publish("t", "text")
    ctx.bus.publish("t", "<a/>", content_type="text/xml", retain=True)
    ctx.metrics.count("n", labels={"shop": "north"})
    ctx.service.find("greeter", "^1")
    return ctx.service.call("greeter", "greet", "x", range="^1", deadline=0.0015)


@plugin.action
def know(_, ctx):
    now = ctx.time.now()
    assert abs(now - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(hours=1)
    assert ctx.time.monotonic() <= ctx.time.monotonic()
    assert len(ctx.random(70)) == 70 and ctx.random(70) != ctx.random(70)
    return [ctx.host("config.get", {"key": "depth"}).decode(), ctx.action, ctx.plugin.instance]


@plugin.action
def ask(what, ctx):
    return {
        "compare": lambda: ctx.state.compare_and_set("k", None, ""),
        "expect": lambda: ctx.state.compare_and_set("k", b"\xff", ""),
        "get": lambda: ctx.state.get("k"),
        "keys": lambda: ctx.state.list(),
        "fetch": lambda: ctx.http.fetch("https://example.com").status,
        "body": lambda: ctx.http.fetch("https://example.com").json(),
        "now": lambda: ctx.time.now().isoformat(),
        "secret": lambda: ctx.secret.get("k"),
        "call": lambda: ctx.call("a/b"),
        "draw": lambda: len(ctx.random(1 << 20)),
    }[what]()


@plugin.on_event
def answer(event, ctx):
    return {"total": event["data"]["n"]} if event["event_type"] == "orders.total" else None


class HostApi(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(plugin, {"depth": 3})
        self.addCleanup(self.bench.close)

    def args(self, function):
        return [asked.args for asked in self.bench.asked(function)]

    def code(self, what):
        with self.assertRaises(midplane.PluginError) as caught:
            self.bench.call("ask", what)
        return caught.exception.code

    def test_state_is_kept_compared_and_listed(self):
        keys = ["a/1", "a/2"]
        kept = [{"n": 1}, "new", ""]
        self.assertEqual(self.bench.call("store"), [True, False, True, kept, None, None, keys, keys])
        self.assertEqual(self.args("state.compare_and_set"), [
            {"key": "a/2", "expected": "old", "ttl_ms": 1}, {"key": "a/2", "expected": "old"}, {"key": "b"},
        ])
        self.assertEqual(self.args("state.set")[1], {"key": "a/2", "ttl_ms": 1100})
        self.assertEqual(self.args("state.list"), [{"prefix": "a/"}, {}])
        self.assertEqual(self.bench.call("absent"), [None, None, True])

    def test_others_are_asked_with_ranges_and_deadlines(self):
        for function, answer in (("call", 1), ("bus.request", None), ("service.find", []), ("service.call", "hi")):
            self.bench.answer(function, answer if function != "service.find" else b"[]")
        self.assertEqual(self.bench.call("others"), "hi")
        self.assertEqual(self.args("call"), [{"address": "a/b", "deadline_ms": 2000}])
        self.assertEqual(self.args("bus.request"), [
            {"topic": "t", "deadline_ms": 0}, {"topic": "t", "content_type": "text/plain"},
        ])
        self.assertEqual(self.args("bus.subscribe"), [
            {"topic": "t"}, {"topic": "t.*", "group": "g", "filter": {"color": "red"}},
        ])
        self.assertEqual(self.args("service.find"), [{"interface": "greeter", "range": "^1"}])
        self.assertEqual(self.args("service.call"), [
            {"interface": "greeter", "range": "^1", "action": "greet", "deadline_ms": 2},
        ])
        self.assertEqual([asked.payload for asked in self.bench.asked("bus.publish")], [b'"text"', b"<a/>"])
        self.assertEqual(self.args("bus.publish")[1], {"topic": "t", "content_type": "text/xml", "retain": True})
        self.assertEqual(self.args("metrics.count"), [{"name": "n", "value": 1, "labels": {"shop": "north"}}])

    def test_what_on_event_returns_is_the_answer_and_none_is_none(self):
        event = {"event_type": "orders.total", "data": {"n": 2}}
        self.assertEqual(self.bench.hook("on_event", event), b'{"total":2}')
        self.assertIsNone(self.bench.hook("event", {"event_type": "orders.new", "data": None}))

    def test_a_bench_has_configuration_clocks_and_chance(self):
        self.assertEqual(self.bench.call("know"), ["3", "know", 0])
        self.assertEqual(self.code("draw"), "limit_exceeded")

    def test_answers_that_do_not_fit_are_typed_errors(self):
        for what, function, answer, code in (
            ("compare", "state.compare_and_set", b"", "protocol_error"),
            ("expect", "log", b"", "invalid_input"),
            ("keys", "state.list", b"{}", "protocol_error"),
            ("fetch", "http.fetch", b"{}\nbody", "protocol_error"),
            ("body", "http.fetch", b'{"status": 200}\n[', "invalid_reply"),
            ("now", "time.now", b'"2026-11-21T08:17:17"', "protocol_error"),
            ("now", "time.now", b"7", "protocol_error"),
            ("secret", "secret.get", b"\xff", "protocol_error"),
            ("call", "call", b"{", "invalid_reply"),
        ):
            self.bench.answer(function, answer)
            self.assertEqual(self.code(what), code, what)
        self.bench.answer("state.get", midplane.HostError("permission_denied", "no"))
        self.assertEqual(self.code("get"), "permission_denied")

    def test_times_are_read_in_every_form_of_rfc_3339(self):
        for text, read in (
            ("2026-11-21T08:17:17.123456789Z", "2026-11-21T08:17:17.123456+00:00"),
            ("2026-11-21T08:17:17Z", "2026-11-21T08:17:17+00:00"),
            ("2026-11-21T10:17:17.5+02:00", "2026-11-21T10:17:17.500000+02:00"),
        ):
            self.bench.answer("time.now", text)
            self.assertEqual(self.bench.call("ask", "now"), read)

    def test_both_contexts_have_every_function_of_the_contract(self):
        spelled = {"log": "log", "config.get": "config", "call": "call", "random": "random"}
        for kind in (midplane.Context, midplane.AsyncContext):
            ctx = kind(self.bench.host, 1, None, b"", 0)
            for function in FUNCTIONS:
                part = ctx
                for name in spelled.get(function, function).split("."):
                    part = getattr(part, name)
                self.assertIsNotNone(part, function)


if __name__ == "__main__":
    unittest.main()
