// A plugin that is called: inputs as its functions want them, results as bytes.

import { Context } from "./context.js";
import { PluginError } from "./error.js";
import { asBytes, isChunks, parse, replyOf, stringify } from "./outcome.js";

const NONE = new Uint8Array(0);

/** One instance of a plugin. `host` is the `host` of a [`Context`], whose `config` this keeps. */
export class Instance {
  #shape;
  #host;

  constructor(shape, host) {
    this.#shape = shape;
    this.#host = host;
    host.config = Object.freeze({});
  }

  /**
   * Calls an action by its position.
   *
   * @returns bytes, chunks (see `isChunks`), or a promise of either
   */
  call(index, input, scope) {
    const { self, actions } = this.#shape;
    const { run, raw } = actions[index];
    const result = run.call(self, raw ? input : inputOf(input), new Context(this.#host, scope));
    return typeof result?.then === "function" ? result.then((value) => given(value, raw)) : given(result, raw);
  }

  /** Runs a hook by its name in the contract; promises its answer as bytes, or `undefined` where there is no such hook. */
  async hook(name, input, scope) {
    const run = this.#shape.hooks.get(name);
    const ctx = new Context(this.#host, scope);
    const ask = (...args) => run?.call(this.#shape.self, ...args, ctx);
    switch (name) {
      case "init":
      case "config_changed": {
        await ask(parse(input) ?? {});
        // Another copy: the plugin may have changed its own.
        this.#host.config = frozen(parse(input) ?? {});
        return NONE;
      }
      case "event":
        // Where the event is a request, this is the answer.
        return run && replyOf(await ask(parse(input) ?? {}), false);
      case "validate_config":
      case "dependency_changed":
        return run && (await ask(parse(input) ?? {}), NONE);
      case "import_state":
        return run && (await ask(input), NONE);
      case "migrate":
      case "migrate_back": {
        const line = input.indexOf(10);
        const { from } = parse(line < 0 ? input : input.subarray(0, line)) ?? {};
        return run && stateOf(name, await ask(String(from), line < 0 ? NONE : input.subarray(line + 1)));
      }
      case "export_state":
        return run && stateOf(name, await ask());
      case "health":
        return run && stringify(healthOf(await ask()));
      case "get_config":
        return run && stringify((await ask()) ?? {});
      default:
        return run && (await ask(), NONE);
    }
  }
}

function inputOf(bytes) {
  try {
    return parse(bytes);
  } catch (cause) {
    throw new PluginError("invalid_input", `the input is not JSON: ${cause.message}`, { cause });
  }
}

function given(result, raw) {
  return isChunks(result) ? result : replyOf(result, raw);
}

function stateOf(hook, result) {
  const bytes = result === undefined ? NONE : asBytes(result);
  if (bytes === undefined) {
    throw new TypeError(`the hook ${hook} gives bytes or text, not ${result === null ? "null" : `a ${typeof result}`}`);
  }
  return bytes;
}

function healthOf(answer) {
  return typeof answer === "string" ? { status: answer } : (answer ?? { status: "healthy" });
}

function frozen(value) {
  if (value !== null && typeof value === "object") {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}
