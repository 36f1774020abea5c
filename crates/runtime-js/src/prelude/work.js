// What calls, hooks and timers need: evaluated when the first of them asks for it. A function of `native`, of `modules`, which
// fetches parts of the SDK, and of `plugin`, whose `shape` is what the plugin offers.
export default (native, modules, plugin) => {
  const { parse, stringify } = JSON;

  // ---- what calls are told

  let latest;

  /** One call or hook: the `scope` of the SDK's `Context`. Made for every call, so without private fields, which cost. */
  function Scope(number) {
    this.number = number;
    this.cancelled = false;
    this.facts = undefined;
    this.controller = undefined;
  }

  const told = (scope) => (scope.facts ??= parse(native.scope(scope.number)));

  Scope.prototype = {
    get action() {
      return told(this).action;
    },
    get caller() {
      return told(this).caller;
    },
    get trace() {
      return told(this).trace;
    },
    get deadline() {
      return told(this).deadline;
    },
    get signal() {
      this.controller ??= new AbortController();
      if (this.cancelled) {
        this.controller.abort();
      }
      return this.controller.signal;
    },
    abort() {
      this.cancelled = true;
      this.controller?.abort();
    },
  };

  const refused = (record) => {
    const { code, message, recoverable, data } = parse(record);
    return new (modules("error").PluginError)(code, message, { recoverable, data });
  };

  let identity, config, configured;

  /** The instance's `host`. */
  const host = {
    get identity() {
      return (identity ??= Object.freeze(parse(native.identity())));
    },
    get config() {
      const text = native.config();
      if (text !== configured) {
        config = frozen(parse(text));
        configured = text;
      }
      return config;
    },
    // Rust keeps it, also for plugins without hooks.
    set config(_) {},
    ask(name, args, payload, scope) {
      try {
        const answer = native.ask(scope?.number ?? 0, name, stringify(args ?? {}), payload);
        return typeof answer === "string" ? Promise.reject(refused(answer)) : Promise.resolve(answer);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    log(level, message, fields) {
      try {
        native.log(String(level), String(message), fields === undefined ? undefined : stringify(fields));
      } catch {
        native.log("warn", "a log line could not be written", undefined);
      }
    },
  };

  function frozen(value) {
    if (value !== null && typeof value === "object") {
      Object.values(value).forEach(frozen);
      Object.freeze(value);
    }
    return value;
  }

  let Context;

  function context(number) {
    Context ??= modules("context").Context;
    return new Context(host, (latest = new Scope(number)));
  }

  let instance;

  function hook(name, input, number) {
    instance ??= new (modules("instance").Instance)(plugin.shape, host);
    return instance.hook(name, input, (latest = new Scope(number)));
  }

  // ---- what comes out

  /** A result as what Rust can hand on: bytes, text, nothing, a promise of a result, or a function that pulls chunks. */
  function reply(result, raw) {
    if (result !== null && (typeof result === "object" || typeof result === "function")) {
      if (typeof result.then === "function") {
        return Promise.resolve(result);
      }
      if (isChunks(result)) {
        return pulling(result, modules("outcome").chunkOf);
      }
      if (raw || ArrayBuffer.isView(result) || result instanceof ArrayBuffer || result instanceof SharedArrayBuffer) {
        return modules("outcome").replyOf(result, raw);
      }
    } else if (raw) {
      return typeof result === "string" ? result.toWellFormed() : modules("outcome").replyOf(result, raw);
    }
    const text = stringify(result);
    if (text === undefined) {
      throw new TypeError(`a ${typeof result} is not JSON`);
    }
    return text;
  }

  /** As in the SDK's `outcome.js`, which most results do not need otherwise. */
  const isChunks = (result) =>
    typeof result === "object" &&
    (typeof result[Symbol.asyncIterator] === "function" || Object.prototype.toString.call(result) === "[object Generator]");

  function pulling(chunks, chunkOf) {
    const iterator = chunks[Symbol.asyncIterator]?.() ?? chunks;
    return async (leave) => {
      if (leave) {
        return void (await iterator.return?.());
      }
      const { done, value } = await iterator.next();
      return done ? undefined : chunkOf(await value);
    };
  }

  // ---- between calls

  const timers = new Map();

  function timer(run, time, args, repeats) {
    if (typeof run !== "function") {
      throw new TypeError(`a timer calls a function, not a ${typeof run}`);
    }
    const id = native.timer(Number(time) || 0, repeats);
    timers.set(id, { run, args, repeats });
    return id;
  }

  function clear(id) {
    if (timers.delete(Number(id))) {
      native.clear(Number(id));
    }
  }

  function fire(id) {
    const timer = timers.get(id);
    if (timer === undefined) {
      return;
    }
    if (!timer.repeats) {
      timers.delete(id);
    }
    timer.run(...timer.args);
  }

  const rejections = new Map();

  function rejected(promise, reason, isHandled) {
    if (isHandled) {
      rejections.delete(promise);
    } else if (rejections.size < 100) {
      rejections.set(promise, reason);
    }
  }

  /** Says in the log which rejections nobody handled. The result of a call is somebody's. */
  function complain(result) {
    rejections.delete(result);
    for (const reason of rejections.values()) {
      host.log("warn", `a rejection that nobody handles: ${modules("print").print([reason])}`);
    }
    rejections.clear();
  }

  const stop = () => timers.clear();
  const abort = () => latest?.abort();

  // ---- globals that belong to it

  const line = (level) => (...args) =>
    host.log(level, args.length === 1 && typeof args[0] === "string" ? args[0] : modules("print").print(args));
  const info = line("info");

  return {
    context, reply, hook, fire, abort, rejected, complain, stop, host,
    console: { log: info, info, debug: line("debug"), trace: line("debug"), warn: line("warn"), error: line("error") },
    setTimeout: (run, time, ...args) => timer(run, time, args, false),
    setInterval: (run, time, ...args) => timer(run, time, args, true),
    clearTimeout: clear,
    clearInterval: clear,
  };
};
