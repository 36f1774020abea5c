// What runs in a worker: one instance of a plugin, asked by messages.

import { Instance } from "../instance.js";
import { chunkOf, isChunks, recordOf } from "../outcome.js";
import { PluginError } from "../error.js";
import { shapeOf } from "../shape.js";
import { factsOf } from "./page-peer.js";

const port = globalThis.postMessage === undefined ? (await import("node:worker_threads")).parentPort : globalThis;
const listen = (take) => (port === globalThis ? (port.onmessage = ({ data }) => take(data)) : port.on("message", take));

if (globalThis.process?.abort !== undefined) {
  // Node takes it away from threads. What a plugin aborts is the program that it runs in.
  process.abort = () => {
    port.postMessage({ abort: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}

let shape;
let instance;
const running = new Map();
const asked = new Map();
let asks = 0;

/** What a call may know; `whenCancelled` is for the asks, which end on the other side. */
class Scope {
  cancelled = false;
  #controller;

  constructor(id, { caller = [], trace, deadline } = {}) {
    Object.assign(this, { id, caller, trace, deadline });
  }

  get signal() {
    this.#controller ??= new AbortController();
    if (this.cancelled) {
      this.#controller.abort();
    }
    return this.#controller.signal;
  }

  cancel() {
    this.cancelled = true;
    this.#controller?.abort();
  }
}

const host = {
  log: (level, message, fields) => port.postMessage({ log: { level, text: String(message), fields: plain(fields) } }),
  ask(name, args, payload, scope) {
    const ask = ++asks;
    port.postMessage({ ask, name, args, payload, of: scope?.id });
    return new Promise((resolve, reject) => asked.set(ask, { resolve, reject }));
  },
};

const deeds = {
  async load({ url }) {
    shape = shapeOf(await import(url));
    return factsOf(shape);
  },

  open({ identity }) {
    instance = new Instance(shape, { ...host, identity: Object.freeze(identity), config: {} });
  },

  call({ index, input }, scope) {
    if (shape.actions[index] === undefined) {
      throw new PluginError("action_not_found", `there is no action ${index}`);
    }
    scope.action = shape.actions[index].name;
    return instance.call(index, input, scope);
  },

  hook: ({ name, input }, scope) => instance.hook(name, input, scope),
};

async function perform(message) {
  const { id, about } = message;
  const scope = new Scope(id, about);
  running.set(id, { scope });
  try {
    const result = await deeds[message.do](message, scope);
    if (isChunks(result)) {
      running.set(id, { scope, chunks: result[Symbol.asyncIterator]?.() ?? result[Symbol.iterator]() });
      port.postMessage({ id, chunks: true });
      return;
    }
    port.postMessage({ id, result });
  } catch (thrown) {
    port.postMessage({ id, error: ended(scope, thrown) });
  }
  running.delete(id);
}

async function next(id) {
  const { scope, chunks } = running.get(id) ?? {};
  try {
    const { value, done } = await chunks.next();
    port.postMessage({ id, result: done ? { done } : { value: chunkOf(value) } });
  } catch (thrown) {
    port.postMessage({ id, error: ended(scope, thrown) });
  }
}

function ended(scope, thrown) {
  const record = recordOf(thrown);
  return scope.cancelled ? { code: "cancelled", message: "the call was cancelled", data: { ended: record } } : record;
}

function answered({ ask, result, error }) {
  const { resolve, reject } = asked.get(ask) ?? {};
  asked.delete(ask);
  error === undefined ? resolve?.(result) : reject?.(new PluginError(error.code, error.message, error));
}

function plain(fields) {
  try {
    return fields === undefined ? undefined : JSON.parse(JSON.stringify(fields));
  } catch (why) {
    return { shortened: String(why) };
  }
}

listen((message) => {
  switch (message.do) {
    case "answer":
      return answered(message);
    case "cancel":
      return running.get(message.id)?.scope.cancel();
    case "next":
      return next(message.id);
    case "leave":
      running.get(message.id)?.chunks?.return?.();
      return running.delete(message.id);
    default:
      return perform(message);
  }
});
