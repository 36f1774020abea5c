"""Plugins with coroutines, over a real socket."""

import json
import os
import unittest

from wirehost import CANCEL, SHUTDOWN, Failed, Host

PLUGIN = """
import asyncio, time
import midplane

plugin = midplane.Plugin()
ticks, seen = [], []

@plugin.on_start
async def start(ctx):
    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0.001)
    start.task = asyncio.create_task(tick())

@plugin.action(raw=True)
async def echo(input, ctx):
    return input

@plugin.action
def plain(input, ctx):
    return seen

@plugin.action
def blocks(input, ctx):
    ctx.info("blocking")
    time.sleep(1000)

@plugin.action
async def ticked(input, ctx):
    return len(ticks)

@plugin.action
async def wait(input, ctx):
    ctx.info("waiting")
    try:
        await asyncio.sleep(1000)
    finally:
        seen.append(ctx.cancelled)

@plugin.action
async def both(input, ctx):
    return await asyncio.gather(ctx.call("a/b"), ctx.call("c/d", raw=True and False))

@plugin.action
async def large(input, ctx):
    await ctx.state.set("it", bytes(3 << 20))
    return len(await ctx.state.get("it"))

@plugin.action
async def chunks(input, ctx):
    for number in range(30):
        yield bytes([number]) * 10_000

@plugin.action
async def fails(input, ctx):
    raise midplane.PluginError("no", "not this")

@plugin.action
async def gives_up(input, ctx):
    raise asyncio.CancelledError
"""


class Coroutines(unittest.TestCase):
    def setUp(self):
        self.host = Host(PLUGIN)
        self.addCleanup(self.host.__exit__)
        self.host.load()

    def code(self, id):
        with self.assertRaises(Failed) as caught:
            self.host.answer(id)
        return caught.exception.code

    def test_they_answer_beside_plain_functions(self):
        large = os.urandom(5 << 20)
        self.assertEqual(self.host.call("echo", large), large)
        self.assertEqual(self.host.call("plain"), b"[]")

    def test_a_cancelled_one_cleans_up(self):
        id = self.host.begin("wait")
        self.host.until_logged("waiting")
        self.host.send(CANCEL, 0, id)
        self.assertEqual(self.code(id), "cancelled")
        self.assertEqual(self.host.call("plain"), b"[true]")

    def test_a_plain_one_that_blocks_is_interrupted_as_well(self):
        id = self.host.begin("blocks")
        self.host.until_logged("blocking")
        next = self.host.begin("echo", b"next")
        self.host.send(CANCEL, 0, id)
        self.assertEqual(self.code(id), "cancelled")
        self.assertEqual(self.host.answer(next), b"next")

    def test_tasks_go_on_between_calls(self):
        self.host.hook(3)
        before = int(self.host.call("ticked"))
        while int(self.host.call("ticked")) < before + 5:
            pass

    def test_the_host_is_asked_side_by_side(self):
        self.host.answers[11] = lambda args, payload: json.dumps(args["address"]).encode()
        self.assertEqual(self.host.call("both"), b'["a/b","c/d"]')

    def test_large_questions_and_answers_pass(self):
        pieces = []
        self.host.answers[3] = lambda args, payload: pieces.append(len(payload)) or b""
        self.host.answers[2] = lambda args, payload: bytes(sum(pieces))
        self.assertEqual(self.host.call("large"), str(3 << 20).encode())

    def test_chunks_and_errors(self):
        chunks = []
        self.host.call("chunks", b"", chunks)
        self.assertEqual(len(chunks), 30)
        self.assertEqual(self.code(self.host.begin("fails")), "plugin_error")
        self.assertEqual(self.code(self.host.begin("gives_up")), "panicked")

    def test_it_ends_with_its_tasks(self):
        self.host.hook(3)
        self.host.begin("wait")
        self.host.until_logged("waiting")
        self.host.send(SHUTDOWN, 65535, 0)
        self.assertEqual(self.host.process.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
