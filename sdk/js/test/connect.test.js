import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { connect } from "../connect.js";
import { Decoder } from "../src/wire/decoder.js";
import { CONNECTION, FLAG, HEAD, KIND, MAGIC, NO_DEADLINE, writeHead } from "../src/wire/frame.js";

const encoder = new TextEncoder();
const URL_OF_HOST = "ws://host.test/plugin/connect";

/** A host on the other side of a WebSocket that is none. */
class Host {
  frames = [];
  #id = -1;
  #waiting = [];

  /** What `connect` takes for a WebSocket; every one that is made is a `Host`. */
  static class() {
    const made = [];
    const waiting = [];
    class Fake extends Host {
      constructor(url) {
        super();
        this.url = url;
        waiting.length > 0 ? waiting.shift()(this) : made.push(this);
        queueMicrotask(() => this.onopen());
      }
    }
    Fake.next = () => (made.length > 0 ? made.shift() : new Promise((resolve) => waiting.push(resolve)));
    return Fake;
  }

  readyState = 1;
  bufferedAmount = 0;
  #decoder = new Decoder(({ header, payload, ...head }) => {
    this.frames.push({ ...head, header: header.slice(), payload: payload.slice() });
    this.#look();
  });

  // The plugin's side.
  send(data) {
    if (typeof data === "string") {
      this.registered = JSON.parse(data);
      this.#look();
    } else {
      this.#decoder.feed(data);
    }
  }

  close(code = 1000, reason = "") {
    if (this.readyState === 1) {
      this.readyState = 3;
      this.closed = { code, reason };
      queueMicrotask(() => this.onclose({ code, reason }));
    }
  }

  // The host's side.
  until(found) {
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        const value = found();
        return value !== undefined && (resolve(value), true);
      });
      this.#look();
    });
  }

  #look() {
    this.#waiting = this.#waiting.filter((look) => !look());
  }

  registration() {
    return this.until(() => this.registered);
  }

  async welcome(renewal) {
    const { id } = await this.registration();
    this.onmessage({ data: JSON.stringify({ id, result: { success: true, renewal } }) });
    this.onmessage({ data: encoder.encode(MAGIC).buffer });
    this.frame({ kind: KIND.HELLO, instance: CONNECTION, id: 0 }, JSON.stringify({ versions: [1] }));
    this.facts = JSON.parse(new TextDecoder().decode((await this.ask({ kind: KIND.LOAD, instance: CONNECTION }, "", "{}")).payload));
    await this.open();
  }

  async open() {
    await this.ask({ kind: KIND.OPEN }, JSON.stringify({ plugin: "p", version: "1.0.0", generation: 1 }));
    await this.hook("init", "{}");
  }

  async refuse(error) {
    const { id } = await this.registration();
    this.onmessage({ data: JSON.stringify({ id, error }) });
    this.close(1008, error.message);
  }

  frame(head, header = "", payload = "") {
    const [front, back] = [encoder.encode(header), encoder.encode(payload)];
    const whole = new Uint8Array(HEAD + front.length + back.length);
    writeHead(whole, { instance: 0, time: NO_DEADLINE, ...head }, front.length, back.length);
    whole.set(front, HEAD);
    whole.set(back, HEAD + front.length);
    this.onmessage({ data: whole.buffer });
  }

  /** Asks for something; gives the last frame of the answer, with the bytes of all of them. */
  ask(head, header, payload) {
    const id = (this.#id += 2);
    this.frame({ ...head, id }, header, payload);
    const ended = this.until(() => {
      const answer = this.frames.filter((frame) => frame.id === id && frame.kind !== KIND.CREDIT);
      const last = answer.at(-1);
      const over = last?.kind === KIND.DONE || last?.kind === KIND.ERROR;
      return over ? { ...last, payload: Buffer.concat(answer.map((frame) => frame.payload)) } : undefined;
    });
    return Object.assign(ended, { id });
  }

  call(action, payload) {
    return this.ask({ kind: KIND.CALL, value: this.facts.actions.indexOf(action) }, "", payload);
  }

  hook(name, payload) {
    return this.ask({ kind: KIND.HOOK, value: ["info", "validate_config", "init", "start", "stop"].indexOf(name) }, "", payload);
  }
}

function start(t, options) {
  const WebSocket = Host.class();
  const states = [];
  const given = { url: URL_OF_HOST, id: "p", token: "first", retry: { first: 1 }, onState: (state) => states.push(state) };
  const connection = connect({ ...given, WebSocket, ...options });
  t.after(() => connection.close());
  return { connection, WebSocket, states };
}

/** A module in a file that goes with the test. */
function module(t, source) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "midplane-connect-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, "plugin.mjs");
  fs.writeFileSync(file, source);
  return pathToFileURL(file);
}

test("a plugin registers, is loaded and answers", async (t) => {
  const plugin = { actions: { greet: ({ name }) => `hello ${name}` }, onInit() {} };
  const { WebSocket, states } = start(t, { plugin, version: "1.0.0", capabilities: ["greeting"] });
  const host = await WebSocket.next();
  const { method, params } = await host.registration();
  assert.equal(method, "register");
  assert.deepEqual([params.plugin_id, params.token, params.protocol], ["p", "first", "wire"]);
  assert.deepEqual([params.version, params.capabilities], ["1.0.0", ["greeting"]]);
  await host.welcome();
  assert.deepEqual(host.facts.actions, ["greet"]);
  assert.equal(String((await host.call("greet", `{"name": "you"}`)).payload), `"hello you"`);
  assert.deepEqual(states, ["connecting", "connected"]);
});

test("a connection that is lost is made again with the token that the host gave", async (t) => {
  const { connection, WebSocket } = start(t, { plugin: { greet: () => 1 } });
  const first = await WebSocket.next();
  await first.welcome("second");
  first.close(1006);
  const again = await WebSocket.next();
  assert.equal((await again.registration()).params.token, "second");
  await again.welcome();
  again.close(1006);
  assert.match(await connection.closed, /no token/);
});

test("a function is asked for a token whenever there is none", async (t) => {
  let asked = 0;
  const { WebSocket } = start(t, { plugin: { greet: () => 1 }, token: async () => `number ${++asked}` });
  const first = await WebSocket.next();
  await first.refuse({ code: "permission_denied", message: "the token has expired" });
  const second = await WebSocket.next();
  assert.equal((await second.registration()).params.token, "number 2");
});

test("a refusal that another try would not change is the end", async (t) => {
  const { connection, WebSocket, states } = start(t, { plugin: { greet: () => 1 } });
  await (await WebSocket.next()).refuse({ code: "invalid_input", message: "missing plugin_id" });
  assert.equal(await connection.closed, "missing plugin_id");
  assert.deepEqual(states, ["connecting", "closed"]);
});

test("a plugin that the host needs no longer does not come again", async (t) => {
  const { connection, WebSocket } = start(t, { plugin: { greet: () => 1 } });
  const host = await WebSocket.next();
  await host.welcome("second");
  host.frame({ kind: KIND.SHUTDOWN, instance: CONNECTION, id: 0 });
  assert.equal(await connection.closed, "the host needs the plugin no longer");
});

test("closing is the end", async (t) => {
  const { connection, WebSocket } = start(t, { plugin: { greet: () => 1 } });
  const host = await WebSocket.next();
  await host.welcome("second");
  connection.close();
  assert.equal(await connection.closed, "it was closed here");
  assert.equal(host.closed.code, 1000);
});

test("in a worker a plugin answers, in chunks too, and asks the host", async (t) => {
  const worker = module(t, `export default {
    actions: {
      echo: { raw: true, run: (input) => input },
      async *count() { yield "one "; yield "two"; },
      wrong() { throw Object.assign(new Error("sold out"), { code: "sold_out", data: { sku: 7 } }); },
      bug() { return nothing.at.all; },
      time: (_, ctx) => ctx.time.now(),
    },
  }`);
  const { WebSocket } = start(t, { worker });
  const host = await WebSocket.next();
  await host.welcome();
  assert.equal(String((await host.call("echo", "abc")).payload), "abc");
  assert.equal(String((await host.call("count", "")).payload), "one two");
  const wrong = JSON.parse((await host.call("wrong", "")).payload);
  assert.deepEqual([wrong.code, wrong.data.code, wrong.data.data], ["plugin_error", "sold_out", { sku: 7 }]);
  assert.equal(JSON.parse((await host.call("bug", "")).payload).code, "panicked");
  const time = host.call("time", "");
  const asked = await host.until(() => host.frames.find(({ kind }) => kind === KIND.HOST));
  host.frame({ kind: KIND.DONE, id: asked.id }, "", `"2030-01-02T03:04:05Z"`);
  assert.equal(String((await time).payload), `"2030-01-02T03:04:05.000Z"`);
});

test("a worker that does not stop is ended, and the next instance is a fresh one", async (t) => {
  const worker = module(t, `let count = 0; export default { count: () => ++count, hang(_, ctx) { ctx.info("hanging"); for (;;); } }`);
  const { WebSocket } = start(t, { worker });
  const host = await WebSocket.next();
  await host.welcome();
  assert.equal(String((await host.call("count", "")).payload), "1");
  const hanging = host.call("hang", "");
  // Its line comes out although it loops.
  await host.until(() => host.frames.find(({ kind, header }) => kind === KIND.HOST && String(Buffer.from(header)).includes("hanging")));
  host.frame({ kind: KIND.CANCEL, id: hanging.id });
  const ended = await hanging;
  assert.equal(JSON.parse(ended.payload).code, "cancelled");
  assert.equal(ended.flags & FLAG.SPENT, FLAG.SPENT);
  await host.ask({ kind: KIND.CLOSE });
  await host.open();
  assert.equal(String((await host.call("count", "")).payload), "1");
});

test("what is missing is said at once", () => {
  assert.throws(() => connect({ url: URL_OF_HOST, id: "p", token: "t", WebSocket: Host.class() }), /either `plugin`/);
  assert.throws(() => connect({ url: URL_OF_HOST, id: "p", token: "t", plugin: {}, WebSocket: null }), TypeError);
});
