"""What authors test their plugins with."""

import types
import unittest

import context  # noqa: F401
import midplane
from midplane.testing import Bench

plugin = midplane.Plugin(description="On the bench")


@plugin.action
def greet(input, ctx):
    ctx.info(f"greeting {input['name']}", loud=True)
    return {"hello": input["name"], "config": ctx.config}


@plugin.action(raw=True)
def upper(input):
    return input.upper()


@plugin.action
def lines(input):
    yield from input


@plugin.action
async def remember(input, ctx):
    await ctx.state.set("key", input)
    return (await ctx.state.get("key")).decode()


@plugin.action
def fetch(input, ctx):
    reply = ctx.http.fetch(input)
    return [reply.status, reply.headers, reply.text(), ctx.state.compare_and_set("key", "old", "new")]


@plugin.action
async def count(input, ctx):
    for number in range(input):
        yield str(number)


@plugin.action
def patient(input, ctx):
    return [ctx.cancelled, round(ctx.remaining()), ctx.caller, ctx.trace]


@plugin.on_init
def init(config, ctx):
    if "name" not in config:
        raise midplane.PluginError("unnamed", "name it")


@plugin.on_health_check
def health():
    return {"status": "healthy", "details": {"n": 1}}


@plugin.export_state
def export(ctx):
    return b"state"


class OnTheBench(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(plugin)
        self.addCleanup(self.bench.close)

    def test_actions_answer_as_in_a_host(self):
        self.bench.hook("on_init", {"name": "x"})
        self.assertEqual(self.bench.call("greet", {"name": "Ada"}), {"hello": "Ada", "config": {"name": "x"}})
        self.assertEqual(self.bench.logged(), ["greeting Ada"])
        self.assertEqual(self.bench.asked("log")[0].args["fields"], {"loud": True})
        self.assertEqual(self.bench.call_raw("upper", b"ab"), b"AB")
        self.assertEqual(self.bench.stream("lines", b'["a","b"]'), [b"a", b"b"])
        self.assertEqual(self.bench.stream("count", b"3"), [b"0", b"1", b"2"])
        circumstances = {"caller": [{"plugin": "shop", "action": "buy"}], "trace": "00-1-2-01"}
        answer = self.bench.call("patient", deadline=5, cancelled=True, **circumstances)
        self.assertEqual(answer, [True, 5, circumstances["caller"], "00-1-2-01"])

    def test_the_host_answers_what_it_is_told_to(self):
        self.assertEqual(self.bench.call("remember", "it"), "it")
        self.bench.answer("state.set", None).answer("state.get", lambda asked: asked.args["key"].encode())
        self.assertEqual(self.bench.call("remember", "it"), "key")
        self.bench.answer("state.get", midplane.HostError("permission_denied", "no"))
        with self.assertRaises(midplane.HostError):
            self.bench.call("remember", "it")
        with self.assertRaises(ValueError):
            self.bench.answer("state.got", None)

    def test_answers_of_the_web_and_of_a_lost_race_are_read(self):
        answer = b'{"status": 404, "headers": {"content-type": "text/plain"}}\nnot\nhere'
        self.bench.answer("http.fetch", answer).answer("state.compare_and_set", False)
        expected = [404, {"content-type": "text/plain"}, "not\nhere", False]
        self.assertEqual(self.bench.call("fetch", "https://example.com"), expected)

    def test_hooks_and_errors_pass(self):
        with self.assertRaises(midplane.PluginError) as caught:
            self.bench.hook("init", {})
        self.assertEqual(caught.exception.code, "unnamed")
        self.assertEqual(self.bench.hook("health"), {"status": "healthy", "details": {"n": 1}})
        self.assertEqual(self.bench.hook("export_state"), b"state")
        self.assertIsNone(self.bench.hook("on_stop"))
        with self.assertRaises(midplane.PluginError) as caught:
            self.bench.call("nothing")
        self.assertEqual(caught.exception.code, "action_not_found")
        self.assertEqual(self.bench.info()["description"], "On the bench")

    def test_what_is_not_json_fails_here_too(self):
        odd = midplane.Plugin()
        odd.action("odd")(lambda: object())
        with self.assertRaises(TypeError):
            Bench(odd).call("odd")


class Definitions(unittest.TestCase):
    def module(self, **parts):
        module = types.ModuleType("made")
        for name, part in parts.items():
            if isinstance(part, types.FunctionType):
                part.__module__, part.__name__ = "made", name
            setattr(module, name, part)
        return module

    def test_a_plain_module_is_a_plugin(self):
        bench = Bench(self.module(on_health_check=lambda: "degraded", actions={"one": lambda: 1}))
        self.assertEqual(bench.call("one"), 1)
        self.assertEqual(bench.hook("on_health_check"), {"status": "degraded"})

    def test_mistakes_are_named(self):
        for parts, said in (
            ({}, "no action"),
            ({"on_intt": lambda: 1}, "on_intt"),
            ({"actions": 5}, "actions"),
            ({"one": midplane.Plugin(), "two": midplane.Plugin()}, "2 plugins"),
        ):
            with self.assertRaisesRegex(Exception, said):
                Bench(self.module(**parts))
        with self.assertRaisesRegex(TypeError, "wants 3 arguments"):
            midplane.Plugin().action("x")(lambda a, b, c: 1)
        with self.assertRaisesRegex(ValueError, "two actions"):
            Bench(self.module(actions=[greet, greet]))
        with self.assertRaisesRegex(ValueError, "there is no hook"):
            midplane.Plugin().hook("on_nothing")

    def test_every_hook_of_the_contract_has_a_decorator(self):
        from midplane._handlers import HOOK_NAMES

        made = midplane.Plugin()
        for name in HOOK_NAMES:
            getattr(made, name)(lambda *given: None)
        self.assertEqual(sorted(made._hooks), list(range(16)))


if __name__ == "__main__":
    unittest.main()
