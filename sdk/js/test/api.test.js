// The host API: what goes to the host, and what is made of its answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PluginError } from "midplane";
import { bench } from "midplane/testing";

const text = (bytes) => bytes && new TextDecoder().decode(bytes);
const args = (plugin, wanted) => plugin.asked.filter(({ name }) => name === wanted).map((asked) => asked.args);

test("state is kept, compared and listed", async () => {
  const plugin = await bench({
    async store(_, { state }) {
      await state.setJson("a/1", { n: 1 });
      await state.set("a/2", "old", { ttl: 1.5 });
      const written = await state.compareAndSet("a/2", new TextEncoder().encode("old"), "new", { ttl: 1000 });
      const lost = await state.compareAndSet("a/2", "old", "other");
      const fresh = await state.compareAndSet("b", undefined, "");
      const kept = [await state.getJson("a/1"), text(await state.get("a/2")), text(await state.get("b"))];
      await state.delete("b");
      const gone = [await state.get("b"), await state.getJson("b")].map((value) => value === undefined);
      return [written, lost, fresh, kept, gone, await state.list("a/"), await state.list("")];
    },
  });
  const keys = ["a/1", "a/2"];
  assert.deepEqual(await plugin.call("store"), [true, false, true, [{ n: 1 }, "new", ""], [true, true], keys, keys]);
  assert.deepEqual(args(plugin, "state.set"), [{ key: "a/1" }, { key: "a/2", ttl_ms: 2 }]);
  assert.deepEqual(args(plugin, "state.compare_and_set"), [
    { key: "a/2", expected: "old", ttl_ms: 1000 },
    { key: "a/2", expected: "old" },
    { key: "b" },
  ]);
  assert.deepEqual(args(plugin, "state.list"), [{ prefix: "a/" }, {}]);
});

test("others are asked with ranges and deadlines, events and numbers go out as the wire says", async () => {
  const answers = { call: () => 1, "bus.request": () => undefined, "service.find": () => [], "service.call": () => "[2]" };
  const plugin = await bench(
    {
      async all(_, ctx) {
        await ctx.call("a/b", 1, { deadline: 0.5 });
        await ctx.bus.request("t", [1], { deadline: -1 });
        await ctx.bus.request("t", "plain", { contentType: "text/plain" });
        await ctx.bus.subscribe("t");
        await ctx.bus.subscribe("t.*", { group: "g", filter: { color: "red" } });
        await ctx.bus.publish("t", "text");
        await ctx.bus.publish("t", "<a/>", { contentType: "text/xml", retain: true });
        await ctx.bus.publish("t", new Uint8Array([255]));
        await ctx.metrics.count("n", 2, { shop: "north" });
        await ctx.service.find("greeter", "^1");
        return ctx.service.call("greeter", "greet", "x", { range: "^1", deadline: 2000 });
      },
    },
    { answers },
  );
  assert.deepEqual(await plugin.call("all"), [2]);
  assert.deepEqual(args(plugin, "call"), [{ address: "a/b", deadline_ms: 1 }]);
  assert.deepEqual(args(plugin, "bus.request"), [{ topic: "t", deadline_ms: 0 }, { topic: "t", content_type: "text/plain" }]);
  assert.deepEqual(args(plugin, "bus.subscribe"), [{ topic: "t" }, { topic: "t.*", group: "g", filter: { color: "red" } }]);
  assert.deepEqual(args(plugin, "service.find"), [{ interface: "greeter", range: "^1" }]);
  const called = { interface: "greeter", range: "^1", action: "greet", deadline_ms: 2000 };
  assert.deepEqual(args(plugin, "service.call"), [called]);
  const published = plugin.asked.filter(({ name }) => name === "bus.publish");
  assert.deepEqual(published.map(({ payload }) => Array.from(payload)), [[34, 116, 101, 120, 116, 34], [60, 97, 47, 62], [255]]);
  assert.deepEqual(published[1].args, { topic: "t", content_type: "text/xml", retain: true });
  assert.deepEqual(args(plugin, "metrics.count"), [{ name: "n", value: 2, labels: { shop: "north" } }]);
});

test("what onEvent returns is the answer, and nothing is none", async () => {
  const event = { event_type: "orders.total", data: { n: 2 } };
  const answer = async (onEvent) => (await bench({ onEvent })).hook("onEvent", event);
  assert.deepEqual(await answer(({ data }) => ({ total: data.n })), { total: 2 });
  assert.equal(await answer(() => undefined), undefined);
});

test("a bench has configuration, clocks and chance", async () => {
  const plugin = await bench(
    {
      async know(_, ctx) {
        const [one, other] = [await ctx.time.monotonic(), await ctx.time.monotonic()];
        assert.ok(one <= other && (await ctx.time.now()) instanceof Date);
        assert.equal((await ctx.random(70)).length, 70);
        await assert.rejects(ctx.random(1 << 20), { code: "limit_exceeded" });
        return [text(await ctx.host("config.get", { key: "depth" })), ctx.action, ctx.plugin.instance];
      },
    },
    { config: { depth: 3 } },
  );
  assert.deepEqual(await plugin.call("know"), ["3", "know", 0]);
});

test("answers that do not fit are typed errors", async () => {
  const refused = () => {
    throw new PluginError("permission_denied", "no");
  };
  const told = (answer) => () => (typeof answer === "string" ? new TextEncoder().encode(answer) : answer);
  for (const [ask, name, answer, code] of [
    [({ state }) => state.compareAndSet("k", undefined, ""), "state.compare_and_set", told(""), "protocol_error"],
    [({ state }) => state.compareAndSet("k", new Uint8Array([255]), ""), "random", told(""), "invalid_input"],
    [({ state }) => state.get("k"), "state.get", refused, "permission_denied"],
    [({ state }) => state.list(), "state.list", told("{}"), "protocol_error"],
    [({ http }) => http.fetch("https://example.com"), "http.fetch", told("{}\nbody"), "protocol_error"],
    [async ({ http }) => (await http.fetch("x:")).json(), "http.fetch", told('{"status":200}\n['), "invalid_reply"],
    [({ time }) => time.now(), "time.now", told('"soon"'), "protocol_error"],
    [({ time }) => time.monotonic(), "time.monotonic", told("1.5"), "protocol_error"],
    [({ secret }) => secret.get("k"), "secret.get", told(new Uint8Array([255])), "protocol_error"],
    [(ctx) => ctx.call("a/b"), "call", told("{"), "invalid_reply"],
  ]) {
    const plugin = await bench({ ask: (_, ctx) => ask(ctx) }, { answers: { [name]: answer } });
    await assert.rejects(plugin.call("ask"), { code }, name);
  }
});
