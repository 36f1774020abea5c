// What plugins get as `ctx`. Its types and their units stand in ../index.d.ts.

import { PluginError } from "./error.js";
import { asBytes, parse, stringify } from "./outcome.js";

const NONE = new Uint8Array(0);

/**
 * What one call or hook may know and ask.
 *
 * `host` is the instance's: `{identity, config, ask(name, args, payload, scope), log(level, message, fields)}`, where `ask`
 * promises bytes. `scope` is the call's: `{action, caller, trace, deadline,
 * cancelled, signal}`.
 */
export class Context {
  #host;
  #scope;

  constructor(host, scope) {
    this.#host = host;
    this.#scope = scope;
  }

  get plugin() {
    return this.#host.identity;
  }

  get config() {
    return this.#host.config;
  }

  get action() {
    return this.#scope.action;
  }

  get caller() {
    return this.#scope.caller;
  }

  get trace() {
    return this.#scope.trace;
  }

  get deadline() {
    return this.#scope.deadline;
  }

  get cancelled() {
    return this.#scope.cancelled;
  }

  get signal() {
    return this.#scope.signal;
  }

  log(level, message, fields) {
    this.#host.log(level, message, fields);
  }

  debug(message, fields) {
    this.#host.log("debug", message, fields);
  }

  info(message, fields) {
    this.#host.log("info", message, fields);
  }

  warn(message, fields) {
    this.#host.log("warn", message, fields);
  }

  error(message, fields) {
    this.#host.log("error", message, fields);
  }

  async host(name, args = {}, payload = NONE) {
    return this.#ask(name, args, needBytes(payload));
  }

  async call(address, input, { deadline, raw } = {}) {
    const reply = await this.#ask("call", { address, deadline_ms: milliseconds(deadline) }, outgoing(input, raw));
    return incoming(reply, raw);
  }

  async random(bytes) {
    return this.#ask("random", { bytes });
  }

  get state() {
    const ask = this.#asker();
    const get = (key) => ask("state.get", { key }).catch(noneWhere("key_not_found"));
    const set = async (key, value, ttl) => void (await ask("state.set", { key, ttl_ms: milliseconds(ttl) }, value));
    return {
      get,
      getJson: async (key) => incoming(await get(key), false),
      set: async (key, value, { ttl } = {}) => set(key, needBytes(value), ttl),
      setJson: async (key, value, { ttl } = {}) => set(key, stringify(value), ttl),
      compareAndSet: async (key, expected, value, { ttl } = {}) => {
        const args = { key, expected: comparable(key, expected), ttl_ms: milliseconds(ttl) };
        const name = "state.compare_and_set";
        return answerOf(name, await ask(name, args, needBytes(value)), (answer) => typeof answer === "boolean");
      },
      delete: async (key) => void (await ask("state.delete", { key })),
      list: async (prefix) =>
        answerOf("state.list", await ask("state.list", { prefix: prefix === "" ? undefined : prefix }), Array.isArray),
    };
  }

  get bus() {
    const ask = this.#asker();
    return {
      publish: async (topic, data, { contentType, retain } = {}) => {
        const args = { topic, content_type: contentType, retain: retain || undefined };
        await ask("bus.publish", args, outgoing(data, contentType !== undefined));
      },
      request: async (topic, data, { contentType, deadline, raw } = {}) => {
        const args = { topic, content_type: contentType, deadline_ms: milliseconds(deadline) };
        return incoming(await ask("bus.request", args, outgoing(data, raw || contentType !== undefined)), raw);
      },
      subscribe: async (topic, { group, filter } = {}) => void (await ask("bus.subscribe", { topic, group, filter })),
      unsubscribe: async (topic) => void (await ask("bus.unsubscribe", { topic })),
    };
  }

  get service() {
    const ask = this.#asker();
    return {
      find: async (name, range) =>
        answerOf("service.find", await ask("service.find", { interface: name, range }), Array.isArray),
      call: async (name, action, input, { deadline, raw, range } = {}) => {
        const args = { interface: name, range, action, deadline_ms: milliseconds(deadline) };
        return incoming(await ask("service.call", args, outgoing(input, raw)), raw);
      },
    };
  }

  get http() {
    const ask = this.#asker();
    return {
      fetch: async (url, { method, headers, body } = {}) => {
        const reply = await ask("http.fetch", { url: String(url), method, headers }, body === undefined ? NONE : needBytes(body));
        return httpReply(reply);
      },
    };
  }

  get metrics() {
    const ask = this.#asker();
    return {
      count: async (name, value, labels) => void (await ask("metrics.count", { name, value, labels })),
      gauge: async (name, value, labels) => void (await ask("metrics.gauge", { name, value, labels })),
      observe: async (name, value, labels) => void (await ask("metrics.observe", { name, value, labels })),
    };
  }

  get secret() {
    const ask = this.#asker();
    return { get: async (name) => strictText("the secret", await ask("secret.get", { name })) };
  }

  get time() {
    const ask = this.#asker();
    return {
      now: async () => {
        const told = await ask("time.now");
        return new Date(answerOf("time.now", told, (now) => typeof now === "string" && !Number.isNaN(Date.parse(now))));
      },
      monotonic: async () => {
        const told = await ask("time.monotonic");
        answerOf("time.monotonic", told, Number.isInteger);
        // Nanoseconds of a long uptime are more than a number holds exactly.
        return BigInt(text(told));
      },
    };
  }

  #ask(name, args = {}, payload = NONE) {
    if (this.#scope.cancelled) {
      return Promise.reject(new PluginError("cancelled", "the host has cancelled this call", { recoverable: true }));
    }
    return this.#host.ask(name, args, payload, this.#scope);
  }

  #asker() {
    return (name, args, payload) => this.#ask(name, args, payload);
  }
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}

/** Milliseconds as the wire has them: whole, rounded up, not below 0. */
function milliseconds(time) {
  return time === undefined ? undefined : Math.max(0, Math.ceil(time));
}

/** Takes an error of this code for `undefined`. */
function noneWhere(code) {
  return (error) => {
    if (error?.code !== code) {
      throw error;
    }
  };
}

/** A value that the host can compare with its own: text. */
function comparable(key, expected) {
  if (expected === undefined) {
    return undefined;
  }
  const bytes = needBytes(expected);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PluginError("invalid_input", `the expected value of ${key} is not UTF-8`, { cause });
  }
}

function strictText(what, bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PluginError("protocol_error", `${what} is not UTF-8; ask for it with \`ctx.host\``, { cause });
  }
}

/** What the host said, as JSON that fits. */
function answerOf(name, bytes, fits) {
  let answer;
  try {
    answer = parse(bytes);
  } catch {
    // It does not fit either.
  }
  if (!fits(answer)) {
    throw new PluginError("protocol_error", `the host's answer to ${name} does not fit: ${text(bytes.subarray(0, 200))}`);
  }
  return answer;
}

function needBytes(value) {
  const bytes = asBytes(value);
  if (bytes === undefined) {
    throw new TypeError(`bytes or text are needed here, not ${value === null ? "null" : `a ${typeof value}`}`);
  }
  return bytes;
}

/** An input: bytes as they are, everything else as JSON unless it is raw. */
function outgoing(input, raw) {
  if (input === undefined) {
    return NONE;
  }
  if (raw) {
    return needBytes(input);
  }
  return (typeof input === "string" ? undefined : asBytes(input)) ?? stringify(input);
}

function incoming(reply, raw) {
  if (raw || reply === undefined) {
    return reply;
  }
  try {
    return parse(reply);
  } catch (cause) {
    throw new PluginError("invalid_reply", "the reply is not JSON; ask with `raw: true` for its bytes", { cause });
  }
}

/** The answer of `http.fetch`: a line `{status, headers}` and then the body. */
function httpReply(bytes) {
  const end = bytes.indexOf(10);
  const head = end < 0 ? bytes : bytes.subarray(0, end);
  const { status, headers = {} } = answerOf("http.fetch", head, (told) => Number.isInteger(told?.status));
  const body = end < 0 ? NONE : bytes.subarray(end + 1);
  return { status, headers, body, text: () => text(body), json: () => incoming(body, false) };
}
