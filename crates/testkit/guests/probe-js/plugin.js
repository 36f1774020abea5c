// The conformance plugin in JavaScript: answers as ../probe does, in the embedded engine and on Node, Deno and Bun.
// It imports nothing, so that it is one file everywhere.

// A test makes changed code by writing other bytes of the same length over these.
const VERSION = "probe-version-01";
const PAGE = 4096;
const MIB = 1024 * 1024;

const probe = { given: {}, counter: 0, history: [], events: [], kept: [] };

/** An error that is the plugin's answer. */
function failure(code, message, more = {}) {
  return Object.assign(new Error(message), { code, ...more });
}

/** Loops without ever giving way. The log line lets a test wait for the loop to have begun. */
function hang(ctx) {
  ctx.info("hanging");
  for (;;);
}

/** Does in a hook what the configuration asks for. */
function act(config, hook, ctx) {
  if (config.hang_in?.includes(hook)) {
    hang(ctx);
  }
  if (config.panic_in?.includes(hook)) {
    throw new TypeError(config.message ?? "panicked on purpose");
  }
  if (config.fail_in?.includes(hook)) {
    throw failure("hook_failed", config.message ?? "failed on purpose");
  }
}

function pass(hook, ctx) {
  probe.history.push(hook);
  ctx.debug(`hook ${hook}`);
  act(probe.given, hook, ctx);
}

/** Takes a configuration; a refused one leaves the present one in effect. */
function configure(hook, config, ctx) {
  probe.history.push(hook);
  ctx.debug(`hook ${hook}`);
  act(config, hook, ctx);
  if (config.reject) {
    throw failure("rejected", config.message ?? "the configuration asks to be rejected");
  }
  probe.given = config;
}

function recurse(depth) {
  return recurse(depth + 1) + depth;
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}

function bytesOf(digits) {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function hexadecimal(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const plain = {
  echo: { raw: true, description: "The input", idempotent: true, run: (input) => input },
  version: { raw: true, description: "A constant of the code", run: () => VERSION },
  config: { description: "The configuration in effect", run: () => probe.given },
  counter: {
    description: "{add?}: adds to this instance's counter, one unless it is said, and answers with it",
    run: (input) => (probe.counter += input?.add ?? 1),
  },
  history: { description: "The hooks that ran on this instance, in order", run: () => probe.history },
  events: { description: "The data of the events that this instance got, in order", run: () => probe.events },
  identity: {
    description: "What the host said to this instance about itself",
    run: (_, { plugin: { id, version, generation, instance } }) => ({ id, version, generation, number: instance }),
  },
};

const failing = {
  fail: {
    description: "{code, message, recoverable, data}: answers with this error",
    run({ code, message, recoverable, data }) {
      throw failure(code, message, { recoverable, data });
    },
  },
  panic: {
    raw: true,
    description: "Fails as a mistake in the code does, with the input as its message",
    run(message) {
      throw new TypeError(text(message));
    },
  },
  abort: {
    description: "Ends the process by SIGABRT",
    run() {
      if (globalThis.process?.abort === undefined) {
        throw failure("not_supported", "there is no process of its own to abort");
      }
      process.abort();
    },
  },
  exit: {
    description: "{code}: ends the process with this code",
    run({ code }) {
      if (globalThis.process?.exit === undefined) {
        throw failure("not_supported", "there is no process of its own to end");
      }
      process.exit(code);
    },
  },
  recurse: { description: "Calls itself until the stack is full", run: () => recurse(0) },
  hang: { description: "Logs `hanging`, then loops until it is interrupted", run: (_, ctx) => hang(ctx) },
};

const load = {
  allocate: {
    description: "{mib, keep?}: takes that much memory and touches all of it; answers {bytes, pages}",
    run({ mib, keep }) {
      const memory = new Uint8Array(mib * MIB);
      let pages = 0;
      for (let at = 0; at < memory.length; at += PAGE) {
        memory[at] = 1;
        pages += memory[at];
      }
      if (keep) {
        probe.kept.push(memory);
      }
      return { bytes: memory.length, pages };
    },
  },
  chunks: {
    description: "{count, size}: replies in so many chunks; every byte of chunk n is n modulo 256",
    async *run({ count, size }) {
      for (let number = 0; number < count; number++) {
        yield new Uint8Array(size).fill(number % 256);
      }
    },
  },
  sleep: {
    description: "{ms}: sleeps",
    run: ({ ms }) => new Promise((done) => setTimeout(done, ms)),
  },
};

const reaching = {
  call: {
    description: "{address, input?, deadline_ms?}: calls another plugin and answers with its reply, or its error",
    run({ address, input = null, deadline_ms }, ctx) {
      const bytes = typeof input === "string" ? input : JSON.stringify(input);
      return ctx.call(address, new TextEncoder().encode(bytes), { raw: true, deadline: deadline_ms });
    },
  },
  host: {
    description: "{function, args?, payload?}: asks the host and answers with what it says, or its error",
    run: ({ function: name, args = {}, payload = "" }, ctx) => ctx.host(name, args, payload),
  },
  transcript: {
    raw: true,
    description:
      "[{function, args, payload?}], payloads in hexadecimal: asks the host for one after the other and answers with a " +
      "line for each, `ok REPLY` or `error CODE MESSAGE`, reply and message in hexadecimal",
    async run(script, ctx) {
      const lines = [];
      for (const { function: name, args, payload = "" } of JSON.parse(text(script))) {
        const line = ctx.host(name, args, bytesOf(payload)).then(
          (reply) => `ok ${hexadecimal(reply)}`,
          (error) => `error ${error.code} ${hexadecimal(new TextEncoder().encode(error.message))}`,
        );
        lines.push(await line);
      }
      return lines.join("\n");
    },
  },
  log: {
    description: "{level, message, fields?}: writes a line to the log",
    run({ level, message, fields }, ctx) {
      ctx.log(level, message, fields);
    },
  },
};

const surroundings = {
  process: {
    description: "{pid} of the process that this runs in; null in the embedded engine",
    run: () => ({ pid: globalThis.process?.pid ?? null }),
  },
  environment: { description: "The environment's variables", run: () => ({ ...globalThis.process?.env }) },
  print: {
    description: "{stream, text}: writes a line to standard output or error",
    run({ stream, text }) {
      const found = { stdout: console.log, stderr: console.error }[stream];
      if (found === undefined) {
        throw failure("invalid_input", `${stream} is no stream`);
      }
      const own = globalThis.process?.[stream];
      own?.write === undefined ? found(text) : own.write(`${text}\n`);
    },
  },
};

export default {
  actions: { ...plain, ...failing, ...load, ...reaching, ...surroundings },

  onValidateConfig(config, ctx) {
    act(config, "validate_config", ctx);
    if (config.invalid) {
      throw failure("config_invalid", "the configuration asks to be invalid");
    }
  },

  onInit: (config, ctx) => configure("init", config, ctx),
  onConfigChanged: (config, ctx) => configure("config_changed", config, ctx),
  getConfig: () => probe.given,
  onStart: (ctx) => pass("start", ctx),
  onStop: (ctx) => pass("stop", ctx),
  onCleanup: (ctx) => pass("cleanup", ctx),

  onEvent(event, ctx) {
    act(probe.given, "event", ctx);
    probe.events.push(event.data);
    return probe.given.answer;
  },

  onDependencyChanged({ id, available }, ctx) {
    probe.history.push(`dependency_changed ${id} ${available}`);
    act(probe.given, "dependency_changed", ctx);
  },

  onHealthCheck(ctx) {
    act(probe.given, "health", ctx);
    return { status: probe.given.health ?? "healthy", details: { counter: probe.counter } };
  },

  exportState(ctx) {
    pass("export_state", ctx);
    return String(probe.counter);
  },

  importState(state, ctx) {
    pass("import_state", ctx);
    const counter = Number(text(state));
    if (!Number.isSafeInteger(counter)) {
      throw failure("invalid_state", "the state is no number");
    }
    probe.counter = counter;
  },
};
