import assert from "node:assert/strict";
import { test } from "node:test";

import { FLAG, KIND } from "../src/wire/frame.js";
import { Host, start } from "../stage/host.js";

const rejection = (promise) => promise.then((reply) => assert.fail(`there is a reply: ${reply}`), (error) => error);

test("a plugin loads, is opened, answers and ends when it is told to", async (t) => {
  const host = await start(t, `export default { greet: ({ name }) => ({ text: "hello " + name }) }`);
  assert.deepEqual(host.facts.actions, ["greet"]);
  assert.deepEqual(JSON.parse(await host.call("greet", `{"name": "you"}`)), { text: "hello you" });
  host.send({ kind: KIND.SHUTDOWN, instance: 65_535, id: 0 });
  assert.equal(await host.ended, 0);
});

test("a plugin ends with its host", async (t) => {
  const host = await start(t, `setInterval(() => {}, 1000); export default {}`);
  host.wire.destroy();
  assert.equal(await host.ended, 0);
});

test("large inputs and replies go in pieces, with credit both ways", async (t) => {
  const host = await start(t, `export default { actions: { echo: { raw: true, run: (input) => input } } }`);
  const input = Buffer.alloc(5 << 20, "0123456789");
  const pieces = Array.from({ length: 20 }, (_, at) => input.subarray(at << 18, (at + 1) << 18));
  const request = { kind: KIND.CALL, value: 0, payload: pieces[0] };
  const reply = await host.request(request, pieces.slice(1));
  assert.ok(reply.equals(input));
  const credit = host.frames.filter(({ kind }) => kind === KIND.CREDIT).reduce((sum, { value }) => sum + value, 0);
  assert.ok(credit >= (5 << 20) - (1 << 20), `${credit} bytes of credit`);
  assert.ok(host.frames.every(({ size }) => size <= 262_144));
});

test("without credit a reply waits, and pings are answered", async (t) => {
  const host = await start(t, `export default { big: () => new Uint8Array(3 << 20) }`);
  host.send = ((send) => (head, ...rest) => head.kind === KIND.CREDIT || send.call(host, head, ...rest))(host.send);
  const call = host.call("big");
  const sent = () => host.frames.filter(({ id }) => id === call.id).reduce((sum, { size }) => sum + size, 0);
  await host.until(() => sent() === 1 << 20);
  host.send({ kind: KIND.PING, id: 99 });
  await host.until(() => host.frames.some(({ kind, id }) => kind === KIND.PONG && id === 99));
  assert.equal(sent(), 1 << 20);
  delete host.send;
  host.send({ kind: KIND.CREDIT, id: call.id, value: 2 << 20 });
  assert.equal((await call).length, 3 << 20);
});

test("a stream sends each chunk as it is made, and is left when the host cancels", async (t) => {
  const host = await start(t, `
    let left = false;
    export default {
      left: () => left,
      async *count(_, ctx) {
        try {
          for (let n = 0; ; n++) { yield String(n); await new Promise(setImmediate); }
        } finally { left = true; }
      },
    }`);
  const call = host.call("count", "", { flags: FLAG.STREAM });
  await host.until(() => host.frames.filter(({ kind, id }) => kind === KIND.DATA && id === call.id).length > 5);
  host.cancel(call.id);
  assert.equal((await rejection(call)).code, "cancelled");
  assert.equal(String(await host.call("left")), "true");
});

test("cancelling aborts the signal and what the plugin asked of the host", async (t) => {
  const source = `export default {
    wait: (_, ctx) => new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(new Error("stopped")))),
    ask: (_, ctx) => ctx.call("other/never"),
    seen: (_, ctx) => ctx.cancelled,
  }`;
  const host = await start(t, source, { answer: () => new Promise(() => {}) });
  for (const action of ["wait", "ask"]) {
    const call = host.call(action);
    if (action === "ask") {
      await host.until(() => host.asked.length > 0);
    }
    host.cancel(call.id);
    assert.equal((await rejection(call)).code, "cancelled", action);
  }
  assert.equal(String(await host.call("seen")), "false");
});

test("one request runs at a time, a waiting one can be cancelled, the eighteenth is refused", async (t) => {
  const source = `
    const order = [];
    export default {
      async slow(n, ctx) { await ctx.call("the/gate"); order.push(n); return order; },
      nothing: () => order,
    }`;
  let open;
  const gate = new Promise((resolve) => (open = resolve));
  const host = await start(t, source, { answer: () => gate });
  const slow = host.call("slow", "1");
  const cancelled = host.call("nothing");
  host.cancel(cancelled.id);
  assert.equal((await rejection(cancelled)).code, "cancelled");
  const waiting = Array.from({ length: 16 }, () => host.call("nothing"));
  assert.equal((await rejection(host.call("nothing"))).code, "overloaded");
  open();
  assert.deepEqual(JSON.parse(await slow), [1]);
  assert.deepEqual((await Promise.all(waiting)).map(String), Array(16).fill("[1]"));
});

test("what the plugin throws becomes the error that the contract says, and it goes on", async (t) => {
  const host = await start(t, `
    import { PluginError } from "midplane";
    class Sold extends Error { name = "Sold"; }
    export default {
      own() { throw new PluginError("sold_out", "none left", { recoverable: true, data: { sku: 7 } }); },
      structural() { throw { code: "x", message: "y" }; },
      async plain() { throw new Sold("gone"); },
      bug(input) { return input.not.there; },
      coded() { throw Object.assign(new TypeError("bad"), { code: "ERR_X" }); },
      text() { throw "just text"; },
      unsayable: () => Symbol("no"),
      async *late() { yield "a"; throw new PluginError("late", "after a chunk"); },
    }`);
  const own = await rejection(host.call("own"));
  assert.deepEqual(own, {
    code: "plugin_error", message: "none left", recoverable: true,
    data: { code: "sold_out", message: "none left", recoverable: true, data: { sku: 7 } },
  });
  assert.equal((await rejection(host.call("structural"))).data.code, "x");
  assert.equal((await rejection(host.call("plain"))).data.code, "Sold");
  assert.equal((await rejection(host.call("late"))).data.code, "late");
  for (const [action, part] of [["bug", "not"], ["coded", "bad"], ["text", "just text"], ["unsayable", "symbol"]]) {
    const error = await rejection(host.call(action, "{}"));
    assert.equal(error.code, "panicked", action);
    assert.ok(error.message.includes(part), error.message);
  }
  assert.match((await rejection(host.call("bug", "{}"))).data.stack, /plugin\.mjs/);
  assert.equal((await rejection(host.call("own", "not json"))).data.code, "invalid_input");
});

test("a host function is asked with its arguments, and its error is the plugin's own if it is not caught", async (t) => {
  const source = `export default {
    ask: (input, ctx) => ctx.call("other/echo", input, { deadline: 5 }),
    random: async (n, ctx) => (await ctx.random(n)).length,
  }`;
  const answer = (name, args, payload) => {
    if (name === "random") {
      throw { code: "permission_denied", message: "not you" };
    }
    return payload;
  };
  const host = await start(t, source, { answer });
  assert.equal(String(await host.call("ask", `{"a":1}`)), `{"a":1}`);
  assert.deepEqual(host.asked[0].args, { address: "other/echo", deadline_ms: 5 });
  const error = await rejection(host.call("random", "8"));
  assert.deepEqual([error.code, error.data.code], ["plugin_error", "permission_denied"]);
});

test("a thousand questions at once are all answered, and large ones go in pieces", async (t) => {
  const source = `export default {
    many: async (n, ctx) => (await Promise.all(Array.from({ length: n }, (_, at) => ctx.call("o/e", at)))).length,
    large: (n, ctx) => ctx.call("o/e", new Uint8Array(n)),
  }`;
  const answer = (name, args, payload) => (payload.length > 4096 ? String(payload.length) : payload);
  const host = await start(t, source, { answer });
  assert.equal(String(await host.call("many", "1000")), "1000");
  assert.equal(String(await host.call("large", String(3 << 20))), String(3 << 20));
});

test("log and console reach the log, also from a loop that never gives way, and a flood loses nothing", async (t) => {
  const source = `export default {
    lines(n, ctx) { console.warn("careful %d", 1); for (let at = 0; at < n; at++) ctx.info("line " + at); },
    hang(_, ctx) { ctx.info("hanging"); for (;;); },
  }`;
  const host = await start(t, source);
  await host.call("lines", "1000");
  const logged = () => host.asked.filter(({ name }) => name === "log").map(({ args }) => args);
  assert.deepEqual(logged()[0], { level: "warn", message: "careful 1" });
  const lines = () => logged().filter(({ message }) => message.startsWith("line")).length;
  const printed = () => host.output.split("\n").filter((line) => line.startsWith("info: line ")).length;
  while (lines() + printed() < 1000) {
    await new Promise((resolve) => host.child.stderr.once("data", resolve));
  }
  assert.equal(lines() + printed(), 1000);
  host.call("hang").catch(() => {});
  await host.until(() => logged().some(({ message }) => message === "hanging"));
});

test("a flood of lines waits for whoever reads them and is not kept in memory", async (t) => {
  const source = `export default {
    flood(n) { for (let at = 0; at < n; at++) console.log("x".repeat(60)); return process.stderr.writableLength; },
  }`;
  const host = await start(t, source);
  assert.equal(String(await host.call("flood", "50000")), "0");
});

test("the configuration is there in every call, frozen, whether or not the plugin has the hooks", async (t) => {
  const source = `export default {
    show: (_, ctx) => [ctx.config, Object.isFrozen(ctx.config.deep), ctx.plugin, ctx.action],
    who: (_, ctx) => [ctx.caller, ctx.trace, ctx.deadline - Date.now() <= 5000],
  }`;
  const host = await start(t, source, { config: { deep: { a: 1 } } });
  const identity = { id: "under-test", version: "1.2.3", generation: 4, instance: 0 };
  assert.deepEqual(JSON.parse(await host.call("show")), [{ deep: { a: 1 } }, true, identity, "show"]);
  await host.hook("config_changed", `{"deep": {"a": 2}}`);
  assert.deepEqual(JSON.parse(await host.call("show"))[0], { deep: { a: 2 } });
  const header = { caller: [{ plugin: "p", action: "a" }], trace: "00-x" };
  assert.deepEqual(JSON.parse(await host.call("who", "", { header, time: 5000 })), [header.caller, "00-x", true]);
});

test("each breach of the protocol ends the process with a word to the host", async (t) => {
  const breaches = {
    "not begin with MIDPLANE": (host) => host.wire.write("GET / HTTP/1.1"),
    "first frame is not HELLO": (host) => (host.wire.write("MIDPLANE"), host.send({ kind: KIND.PING, id: 1 })),
    "speaks the protocol 7": (host) => host.greet({ versions: [7] }),
    "greets twice": (host) => (host.greet(), host.send({ kind: KIND.HELLO, id: 0 }, { versions: [1] })),
    "kind 99": (host) => (host.greet(), host.send({ kind: 99, id: 1 })),
    "kind 7 from a host": (host) => (host.greet(), host.send({ kind: KIND.HOST, id: 1 })),
    "JSON of a LOAD": (host) => (host.greet(), host.request({ kind: KIND.LOAD, payload: Buffer.from("[[") })),
    "claims a header of": (host) => (host.greet(), host.wire.write(Buffer.alloc(24, 255))),
  };
  for (const [part, breach] of Object.entries(breaches)) {
    const host = new Host(t);
    breach(host);
    assert.equal(await host.ended, 1, part);
    assert.ok(host.output.includes(part), `${part}: ${host.output}`);
  }
});

test("a request for what is not there is refused and ends nothing", async (t) => {
  const host = await start(t, `export default { one: () => 1 }`);
  assert.equal((await rejection(host.request({ kind: KIND.CALL, value: 7 }))).code, "action_not_found");
  assert.equal((await rejection(host.request({ kind: KIND.CALL, value: 0, instance: 3 }))).code, "not_loaded");
  assert.equal(await host.hook("export_state"), undefined);
  host.send({ kind: 200, id: 1 });
  assert.equal(String(await host.call("one")), "1");
});
