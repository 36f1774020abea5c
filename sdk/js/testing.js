// Drives a plugin without a host. See testing.d.ts.

import { PluginError } from "./src/error.js";
import { Instance } from "./src/instance.js";
import { asBytes, chunkOf, isChunks, parse, recordOf, stringify } from "./src/outcome.js";
import { HOOKS, shapeOf } from "./src/shape.js";

const NONE = new Uint8Array(0);
const NEVER = new AbortController().signal;
/** Most random bytes in one request, as in a host. */
const RANDOM = 65_536;
/** Hooks whose answer is bytes, not JSON. */
const OPAQUE = new Set(["export_state", "migrate", "migrate_back"]);

export async function bench(plugin, options = {}) {
  const made = new Bench(plugin, options);
  await made.hook("onValidateConfig", options.config ?? {});
  await made.hook("onInit", options.config ?? {});
  return made;
}

export class Bench {
  asked = [];
  logs = [];
  #shape;
  #instance;
  #answers;

  constructor(plugin, { id = "test", version = "0.0.0", answers = {} } = {}) {
    const isModule = plugin?.[Symbol.toStringTag] === "Module";
    this.#shape = shapeOf(isModule ? plugin : { default: plugin });
    const config = ({ key }) => (key === undefined ? host.config : (host.config[key] ?? null));
    this.#answers = { ...builtIn(), "config.get": config, ...answers };
    const identity = Object.freeze({ id, version, generation: 1, instance: 0 });
    const log = (level, message, fields) => this.logs.push({ level, message: String(message), fields });
    const host = { identity, config: {}, ask: (...args) => this.#ask(...args), log };
    this.#instance = new Instance(this.#shape, host);
  }

  get actions() {
    return this.#shape.actions.map(({ name }) => name);
  }

  get info() {
    return this.#shape.info;
  }

  async call(name, input, options) {
    const chunks = await this.#call(name, input, options);
    const reply = joined(chunks);
    return this.#shape.actions.find((action) => action.name === name).raw ? reply : jsonOr(reply);
  }

  chunks(name, input, options) {
    return this.#call(name, input, options);
  }

  async hook(spelling, ...inputs) {
    const [name] = HOOKS.find((names) => names.includes(spelling)) ?? [];
    if (name === undefined) {
      throw new TypeError(`there is no hook ${spelling}`);
    }
    const answer = await caught(() => this.#instance.hook(name, hookInput(name, inputs), scopeOf()));
    return answer === undefined || OPAQUE.has(name) ? answer : jsonOr(answer);
  }

  async #call(name, input, options) {
    const index = this.actions.indexOf(name);
    if (index < 0) {
      throw new PluginError("action_not_found", `there is no action \`${name}\`; there are ${this.actions.join(", ")}`);
    }
    const { raw } = this.#shape.actions[index];
    const bytes = raw ? (asBytes(input ?? NONE) ?? stringify(input)) : bytesOf(input);
    return caught(async () => {
      const result = await this.#instance.call(index, bytes, scopeOf(name, options));
      if (!isChunks(result)) {
        return [result];
      }
      const chunks = [];
      for await (const chunk of result) {
        chunks.push(chunkOf(chunk));
      }
      return chunks;
    });
  }

  async #ask(name, args, payload) {
    // As on the wire: what is undefined is not sent.
    const sent = JSON.parse(JSON.stringify(args));
    this.asked.push({ name, args: sent, payload });
    const answer = this.#answers[name];
    if (answer === undefined) {
      throw new PluginError("not_supported", `this bench answers no \`${name}\`; give it one in \`answers\``);
    }
    const reply = await answer(sent, payload);
    if (reply === undefined && name === "state.get") {
      throw new PluginError("key_not_found", `the state has no value for ${sent.key}`);
    }
    return reply === undefined ? NONE : (asBytes(reply) ?? stringify(reply));
  }
}

/** What needs no host to answer: state in memory, clocks, randomness. */
function builtIn() {
  const state = new Map();
  const same = (one, other) => one !== undefined && new TextDecoder().decode(one) === other;
  return {
    "state.get": ({ key }) => state.get(key),
    "state.set": ({ key }, value) => void state.set(key, value),
    "state.compare_and_set": ({ key, expected }, value) => {
      const fits = expected === undefined ? !state.has(key) : same(state.get(key), expected);
      return (fits && state.set(key, value), fits);
    },
    "state.delete": ({ key }) => void state.delete(key),
    "state.list": ({ prefix = "" }) => [...state.keys()].filter((key) => key.startsWith(prefix)).sort(),
    "bus.publish": () => undefined,
    "bus.subscribe": () => undefined,
    "bus.unsubscribe": () => undefined,
    "metrics.count": () => undefined,
    "metrics.gauge": () => undefined,
    "metrics.observe": () => undefined,
    "time.now": () => JSON.stringify(new Date()),
    "time.monotonic": () => String(Math.round(performance.now() * 1e6)),
    random: ({ bytes }) => {
      if (bytes > RANDOM) {
        throw new PluginError("limit_exceeded", `at most ${RANDOM} random bytes at once`);
      }
      return globalThis.crypto.getRandomValues(new Uint8Array(bytes));
    },
  };
}

function scopeOf(action, { caller = [], trace, deadline, signal = NEVER } = {}) {
  const until = deadline === undefined ? undefined : Date.now() + deadline;
  return {
    action, caller, trace, deadline: until, signal,
    get cancelled() {
      return signal.aborted;
    },
  };
}

/** What callers would be told, with the plugin's own code where it is the plugin's answer. */
async function caught(run) {
  try {
    return await run();
  } catch (thrown) {
    const { code, message, data, recoverable } = recordOf(thrown);
    const own = code === "plugin_error";
    throw new PluginError(own ? data.code : code, message, { recoverable, data: own ? data.data : data, cause: thrown });
  }
}

function hookInput(name, [first, second]) {
  switch (name) {
    case "migrate":
    case "migrate_back":
      return joined([stringify({ from: first }), asBytes("\n"), asBytes(second ?? NONE)]);
    case "import_state":
      return asBytes(first ?? NONE);
    default:
      return bytesOf(first);
  }
}

function bytesOf(input) {
  if (input === undefined) {
    return NONE;
  }
  return (typeof input === "string" ? undefined : asBytes(input)) ?? stringify(input);
}

function jsonOr(bytes) {
  try {
    return parse(bytes);
  } catch {
    return bytes;
  }
}

function joined(chunks) {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
