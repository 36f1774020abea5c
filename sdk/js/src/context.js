// What plugins get as `ctx`. Its types and their units stand in ../index.d.ts.

import { PluginError } from "./error.js";
import { asBytes, parse, stringify } from "./outcome.js";

const NONE = new Uint8Array(0);

/**
 * What one call or hook may know and ask.
 *
 * `host` is the instance's: `{identity, config, ask(name, args, payload, scope), log(level, message, fields)}`, where `ask`
 * promises bytes, or `undefined` where there is nothing. `scope` is the call's: `{action, caller, trace, deadline,
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
    return (await this.#ask(name, args, needBytes(payload))) ?? NONE;
  }

  async call(address, input, { deadline, raw } = {}) {
    const reply = await this.#ask("call", { address, deadline_ms: deadline }, outgoing(input, raw));
    return incoming(reply, raw);
  }

  async random(bytes) {
    return (await this.#ask("random", { bytes })) ?? NONE;
  }

  get state() {
    const ask = this.#asker();
    return {
      get: (key) => ask("state.get", { key }),
      getJson: async (key) => parsed(await ask("state.get", { key })),
      set: async (key, value, { ttl } = {}) => void (await ask("state.set", { key, ttl_ms: ttl }, needBytes(value))),
      setJson: async (key, value, { ttl } = {}) => void (await ask("state.set", { key, ttl_ms: ttl }, stringify(value))),
      compareAndSet: async (key, expected, value, { ttl } = {}) => {
        const args = { key, expected: expected === undefined ? undefined : text(needBytes(expected)), ttl_ms: ttl };
        // A host that has nothing to say about it has written it.
        return parsed(await ask("state.compare_and_set", args, needBytes(value))) !== false;
      },
      delete: async (key) => void (await ask("state.delete", { key })),
      list: async (prefix) => parsed(await ask("state.list", { prefix })) ?? [],
    };
  }

  get bus() {
    const ask = this.#asker();
    return {
      publish: async (topic, data, { contentType } = {}) => {
        const args = { topic, content_type: contentType };
        await ask("bus.publish", args, asBytes(data) ?? outgoing(data, false));
      },
      request: async (topic, data, { deadline, raw } = {}) =>
        incoming(await ask("bus.request", { topic, deadline_ms: deadline }, outgoing(data, raw)), raw),
      subscribe: async (topic) => void (await ask("bus.subscribe", { topic })),
      unsubscribe: async (topic) => void (await ask("bus.unsubscribe", { topic })),
    };
  }

  get service() {
    const ask = this.#asker();
    return {
      find: async (name, range) => parsed(await ask("service.find", { interface: name, range })) ?? [],
      call: async (name, action, input, { deadline, raw, range } = {}) => {
        const args = { interface: name, range, action, deadline_ms: deadline };
        return incoming(await ask("service.call", args, outgoing(input, raw)), raw);
      },
    };
  }

  get http() {
    const ask = this.#asker();
    return {
      fetch: async (url, { method, headers, body } = {}) => {
        const reply = await ask("http.fetch", { url: String(url), method, headers }, body === undefined ? NONE : needBytes(body));
        return httpReply(reply ?? NONE);
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
    return { get: async (name) => text((await ask("secret.get", { name })) ?? NONE) };
  }

  get time() {
    const ask = this.#asker();
    return {
      now: async () => new Date(parse((await ask("time.now")) ?? NONE)),
      // Nanoseconds of a long uptime are more than a number holds exactly.
      monotonic: async () => BigInt(text((await ask("time.monotonic")) ?? NONE)),
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

function parsed(bytes) {
  return bytes === undefined ? undefined : parse(bytes);
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

function incoming(reply = NONE, raw) {
  if (raw) {
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
  const { status, headers = {} } = parse(end < 0 ? bytes : bytes.subarray(0, end)) ?? {};
  const body = end < 0 ? NONE : bytes.subarray(end + 1);
  return { status, headers, body, text: () => text(body), json: () => parse(body) };
}
