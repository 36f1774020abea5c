// What a process is to its host: one plugin, one instance of it.

import { print } from "./console.js";
import { Instance } from "./instance.js";
import { load } from "./load.js";
import { stringify } from "./outcome.js";
import { Refusal } from "./wire/connection.js";

/** Hooks that the SDK itself wants to hear: they bring the configuration. */
const OWN_HOOKS = ["init", "config_changed"];

/** Answers the host's requests. `connection` is set once there is one. */
export class Peer {
  connection;
  #shape;
  #number;
  #instance;

  async load({ main }) {
    const { shape, build } = await load(main);
    this.#shape = shape;
    const hooks = [...new Set([...OWN_HOOKS, ...shape.hooks.keys()])];
    const details = { engine: engine() };
    return stringify({ info: shape.info, actions: shape.actions.map(({ name }) => name), hooks, build_id: build, details });
  }

  open(number, { plugin, version, generation }) {
    if (this.#shape === undefined) {
      throw new Refusal("not_loaded", "there is no plugin yet");
    }
    // What stands at the top level of a module is there once for the process.
    if (this.#instance !== undefined) {
      throw new Refusal("not_supported", "this process has its instance already", "start another process");
    }
    const identity = Object.freeze({ id: plugin, version, generation, instance: number });
    const { asks } = this.connection;
    const ask = (name, args, payload, scope) => asks.ask(number, name, args, payload, scope);
    const log = (level, message, fields) => this.#log(level, message, fields);
    this.#instance = new Instance(this.#shape, { identity, config: {}, ask, log });
    this.#number = number;
    return new Uint8Array(0);
  }

  close() {
    this.#number = undefined;
    return new Uint8Array(0);
  }

  call(number, index, input, request) {
    const instance = this.#opened(number);
    const action = this.#shape.actions[index];
    if (action === undefined) {
      throw new Refusal("action_not_found", `there is no action ${index}`);
    }
    request.action = action.name;
    return instance.call(index, input, request);
  }

  async hook(number, name, input, request) {
    return this.#opened(number).hook(name, input, request);
  }

  /** Writes a line to the plugin's log; `false` where the wire has no room for it or there is no instance. */
  tell(level, message, fields) {
    return this.#number !== undefined && this.connection.asks.log(this.#number, level, message, fields);
  }

  #log(level, message, fields) {
    if (!this.tell(level, message, fields)) {
      print(`${level}: ${message}${fields === undefined ? "" : ` ${shown(fields)}`}`);
    }
  }

  #opened(number) {
    if (this.#instance === undefined || this.#number !== number) {
      throw new Refusal("not_loaded", `instance ${number} is not open`);
    }
    return this.#instance;
  }
}

function shown(fields) {
  try {
    return JSON.stringify(fields);
  } catch {
    return "";
  }
}

function engine() {
  if (globalThis.Bun !== undefined) {
    return `bun ${globalThis.Bun.version}`;
  }
  return globalThis.Deno === undefined ? `node ${process.versions.node}` : `deno ${globalThis.Deno.version.deno}`;
}
