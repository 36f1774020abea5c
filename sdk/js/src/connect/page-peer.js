// A plugin that runs in this thread: where the page is.

import { Instance } from "../instance.js";
import { stringify } from "../outcome.js";
import { shapeOf } from "../shape.js";
import { Refusal } from "../wire/connection.js";

/** Hooks that the SDK itself wants to hear: they bring the configuration. */
export const OWN_HOOKS = ["init", "config_changed"];
const NONE = new Uint8Array(0);

export class PagePeer {
  connection;
  #shape;
  #instances = new Map();

  constructor(plugin) {
    this.#shape = shapeOf({ default: plugin });
  }

  load() {
    return stringify(factsOf(this.#shape));
  }

  open(number, identity) {
    const { asks } = this.connection;
    const ask = (name, args, payload, scope) => asks.ask(number, name, args, payload, scope);
    const log = (level, message, fields) => void (asks.log(number, level, message, fields) || console[level]?.(message, fields));
    const known = identityOf(number, identity);
    this.#instances.set(number, new Instance(this.#shape, { identity: known, config: {}, ask, log }));
    return NONE;
  }

  close(number) {
    this.#instances.delete(number);
    return NONE;
  }

  call(number, index, input, request) {
    request.action = this.#shape.actions[index]?.name;
    if (request.action === undefined) {
      throw new Refusal("action_not_found", `there is no action ${index}`);
    }
    return this.#opened(number).call(index, input, request);
  }

  async hook(number, name, input, request) {
    return this.#opened(number).hook(name, input, request);
  }

  #opened(number) {
    const instance = this.#instances.get(number);
    if (instance === undefined) {
      throw new Refusal("not_loaded", `instance ${number} is not open`);
    }
    return instance;
  }
}

/** The answer to `LOAD`. */
export function factsOf(shape) {
  const hooks = [...new Set([...OWN_HOOKS, ...shape.hooks.keys()])];
  const details = { engine: globalThis.navigator?.userAgent ?? `node ${globalThis.process?.versions?.node}` };
  return { info: shape.info, actions: shape.actions.map(({ name }) => name), hooks, build_id: "", details };
}

export function identityOf(instance, { plugin, version, generation }) {
  return Object.freeze({ id: plugin, version, generation, instance });
}
