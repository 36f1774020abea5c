import assert from "node:assert/strict";
import { test } from "node:test";

import { PluginError, definePlugin } from "midplane";
import { Bench, bench } from "midplane/testing";

test("an action is called with JSON and answers with JSON, bytes or chunks", async () => {
  const plugin = await bench({
    add: ({ a, b }) => a + b,
    bytes: () => new Uint8Array([1, 255]),
    nothing: () => undefined,
    *letters() {
      yield "a";
      yield new Uint8Array([98]);
    },
    actions: { echo: { raw: true, run: (input) => input } },
  });
  assert.deepEqual(plugin.actions, ["echo", "add", "bytes", "nothing", "letters"]);
  assert.equal(await plugin.call("add", { a: 1, b: 2 }), 3);
  assert.deepEqual(await plugin.call("bytes"), new Uint8Array([1, 255]));
  assert.equal(await plugin.call("nothing"), undefined);
  assert.deepEqual((await plugin.chunks("letters")).map((chunk) => chunk.length), [1, 1]);
  assert.deepEqual(await plugin.call("echo", "7"), new Uint8Array([55]));
});

test("hooks run with their inputs, and a refused configuration leaves the one before", async () => {
  const seen = [];
  const plugin = await bench(
    definePlugin({
      onInit: (config) => seen.push(["init", config]),
      onConfigChanged(config) {
        config.changed = true;
        if (config.bad) {
          throw new PluginError("bad_config", "no");
        }
      },
      config: (_, ctx) => ctx.config,
      onHealthCheck: () => "degraded",
      onEvent: (event) => seen.push(["event", event.data]),
      exportState: () => "state",
      migrate: (from, state) => `${from}:${new TextDecoder().decode(state)}`,
    }),
    { config: { a: 1 } },
  );
  await plugin.hook("onConfigChanged", { a: 2 });
  await assert.rejects(plugin.hook("onConfigChanged", { bad: true }), { code: "bad_config" });
  assert.deepEqual(await plugin.call("config"), { a: 2 });
  assert.deepEqual(await plugin.hook("onHealthCheck"), { status: "degraded" });
  await plugin.hook("event", { data: 7 });
  assert.deepEqual(seen, [["init", { a: 1 }], ["event", 7]]);
  assert.equal(String.fromCharCode(...(await plugin.hook("exportState"))), "state");
  assert.equal(new TextDecoder().decode(await plugin.hook("migrate", "1", "old")), "1:old");
  assert.equal(await plugin.hook("onStop"), undefined);
});

test("the host API is there: state in memory, what the test answers, and what nobody answers", async () => {
  const plugin = await bench(
    {
      async state(_, { state }) {
        await state.set("a/1", "x");
        await state.setJson("a/2", { y: 1 });
        const swapped = [await state.compareAndSet("a/1", "x", "z"), await state.compareAndSet("a/1", "x", "q")];
        await state.delete("nothing");
        return [await state.list("a/"), await state.getJson("a/2"), (await state.get("b")) ?? null, swapped];
      },
      async others(_, ctx) {
        const now = await ctx.time.now();
        const ticks = [await ctx.time.monotonic(), await ctx.time.monotonic()];
        return [now instanceof Date, ticks[0] <= ticks[1], (await ctx.random(5)).length];
      },
      greet: (name, ctx) => ctx.call("greeter/greet", { name }),
      fetch: async (url, ctx) => (await ctx.http.fetch(url, { method: "POST", body: "b" })).json(),
      secret: (name, ctx) => ctx.secret.get(name),
      publish: (data, ctx) => ctx.bus.publish("t", data),
    },
    {
      answers: {
        call: ({ address }, payload) => ({ address, input: JSON.parse(new TextDecoder().decode(payload)) }),
        "http.fetch": ({ url, method }) => `${JSON.stringify({ status: 200, headers: {} })}\n${JSON.stringify([url, method])}`,
      },
    },
  );
  assert.deepEqual(await plugin.call("state"), [["a/1", "a/2"], { y: 1 }, null, [true, false]]);
  assert.deepEqual(await plugin.call("others"), [true, true, 5]);
  assert.deepEqual(await plugin.call("greet", "you"), { address: "greeter/greet", input: { name: "you" } });
  assert.deepEqual(await plugin.call("fetch", "http://x/"), ["http://x/", "POST"]);
  await assert.rejects(plugin.call("secret", "s"), { code: "not_supported" });
  await plugin.call("publish", { a: 1 });
  assert.deepEqual(plugin.asked.at(-1), { name: "bus.publish", args: { topic: "t" }, payload: new TextEncoder().encode('{"a":1}') });
});

test("failures have the plugin's code, or the contract's", async () => {
  const plugin = await bench({
    own() {
      throw new PluginError("sold_out", "none", { recoverable: true, data: { sku: 1 } });
    },
    bug: (input) => input.a.b,
  });
  await assert.rejects(plugin.call("own"), { code: "sold_out", recoverable: true, data: { sku: 1 } });
  await assert.rejects(plugin.call("bug", {}), (error) => error.code === "panicked" && error.cause instanceof TypeError);
  await assert.rejects(plugin.call("other"), { code: "action_not_found" });
});

test("a cancelled call sees it, and asks its host in vain", async () => {
  const plugin = await bench({
    wait: async (_, ctx) => {
      await new Promise((done) => ctx.signal.addEventListener("abort", done));
      return [ctx.cancelled, await ctx.call("a/b").catch(({ code }) => code)];
    },
  });
  const controller = new AbortController();
  const waiting = plugin.call("wait", undefined, { signal: controller.signal });
  controller.abort();
  assert.deepEqual(await waiting, [true, "cancelled"]);
});

test("a line of the log is kept with its level and fields", async () => {
  const plugin = await bench({ onInit: (_, ctx) => ctx.warn("careful", { n: 1 }) });
  assert.deepEqual(plugin.logs, [{ level: "warn", message: "careful", fields: { n: 1 } }]);
});

test("what is no plugin is refused with the reason", () => {
  assert.throws(() => new Bench({ onHealthcheck() {} }), /did you mean `onHealthCheck`/);
  assert.throws(() => new Bench({ actions: { a: 7 } }), /neither a function/);
  assert.throws(() => new Bench({ actions: { "not good": () => {} } }), /cannot be called/);
  assert.throws(() => new Bench({ a() {}, actions: { a() {} } }), /there twice/);
});
