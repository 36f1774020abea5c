// One request of the host. To the plugin's code it is the scope of its `ctx`.

import { HOOKS } from "../shape.js";
import { parse } from "../outcome.js";
import { Breach, FLAG, NO_DEADLINE } from "./frame.js";
import { Incoming, Outgoing } from "./pieces.js";

const NOBODY = Object.freeze([]);
const NOWHERE = Object.freeze({});

export class Request {
  cancelled = false;
  #controller;
  #listeners;
  #arrived = Date.now();

  constructor({ kind, flags, instance, id, value, time, header }, window) {
    this.kind = kind;
    this.key = keyOf(instance, id);
    this.instance = instance;
    this.id = id;
    this.value = value;
    this.time = time;
    this.streams = (flags & FLAG.STREAM) !== 0;
    this.outgoing = new Outgoing(window);
    /** The JSON of its header: who calls, or who is to be opened. */
    this.origin = header.length === 0 ? NOWHERE : object("request", header);
    this.caller = this.origin.caller ?? NOBODY;
    this.trace = this.origin.trace;
    this.action = undefined;
    /** What has come of its input; only where that is in pieces. */
    this.incoming = undefined;
  }

  /** When it must have ended, as `Date.now()` counts. */
  get deadline() {
    return this.time === NO_DEADLINE ? undefined : this.#arrived + this.time;
  }

  get signal() {
    this.#controller ??= new AbortController();
    if (this.cancelled) {
      this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** The name of the hook that is asked for; `undefined` for a number that this SDK does not know. */
  get hook() {
    return HOOKS[this.value]?.[0];
  }

  /** Takes a piece of the input; gives back the credit to send. */
  take(payload, last) {
    this.incoming ??= new Incoming();
    return this.incoming.add(payload, last);
  }

  /** Runs `then` when the host cancels. Gives back what takes that back. */
  whenCancelled(then) {
    this.#listeners ??= new Set();
    this.#listeners.add(then);
    return () => this.#listeners.delete(then);
  }

  cancel() {
    this.cancelled = true;
    this.outgoing.stop();
    this.#listeners?.forEach((listener) => listener());
    this.#controller?.abort();
  }
}

/** One number for an instance's number and an id. */
export function keyOf(instance, id) {
  return instance * 0x1_0000_0000 + id;
}

/** The JSON object of a frame. Throws a `Breach` where there is none. */
export function object(frame, bytes) {
  let found;
  try {
    found = parse(bytes) ?? {};
  } catch (why) {
    throw new Breach(`the JSON of a ${frame} frame cannot be read: ${why.message}`);
  }
  if (found === null || typeof found !== "object" || Array.isArray(found)) {
    throw new Breach(`the JSON of a ${frame} frame is no object`);
  }
  return found;
}
