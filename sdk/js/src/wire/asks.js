// What the plugin asks of the host.

import { PluginError } from "../error.js";
import { parse } from "../outcome.js";
import { FUNCTIONS, HEADER_CAP, KIND, LIMITS, NO_DEADLINE } from "./frame.js";
import { Incoming, Outgoing } from "./pieces.js";

/** The host answers that many at once; more wait here. */
const AT_ONCE = 256;
/** Log lines that may be on their way before others are printed instead, which holds up whoever floods the log. */
const LINES = 192;
/** Bytes of a log line's text, and of its fields. */
const LINE = 16 * 1024;

const encoder = new TextEncoder();
const NONE = new Uint8Array(0);

/** The requests of this side. Their ids are even. */
export class Asks {
  #connection;
  #open = new Map();
  #waiting = [];
  #id = 0;

  constructor(connection) {
    this.#connection = connection;
  }

  /** Asks on behalf of a call, which takes its interest back when it is cancelled. */
  ask(instance, name, args, payload, scope) {
    const value = FUNCTIONS.indexOf(name === "events.emit" ? "bus.publish" : name);
    if (value < 0) {
      return refused("not_supported", `there is no host function \`${name}\``);
    }
    const header = encoder.encode(JSON.stringify(args));
    if (header.length > HEADER_CAP || payload.length > LIMITS.payload) {
      const [what, size, most] =
        header.length > HEADER_CAP
          ? [`the arguments of \`${name}\` have`, header.length, HEADER_CAP]
          : [`the payload of \`${name}\` has`, payload.length, LIMITS.payload];
      return refused("limit_exceeded", `${what} ${size} bytes, more than ${most}`);
    }
    return new Promise((resolve, reject) => {
      const ask = { instance, value, header, payload, resolve, reject, name };
      const dropped = scope?.whenCancelled(() => reject(cancelled()));
      ask.over = () => dropped?.();
      this.#begin(ask);
    });
  }

  /** Sends a line to the log without waiting; `false` when too many are on their way. */
  log(instance, level, message, fields) {
    if (this.#open.size + this.#waiting.length >= LINES) {
      return false;
    }
    const args = { level, message: cut(message), fields: fitting(fields) };
    const header = encoder.encode(JSON.stringify(args));
    this.#begin({ instance, value: 0, header, payload: NONE, name: "log", resolve() {}, reject() {}, over() {} });
    return true;
  }

  #begin(ask) {
    if (this.#open.size >= AT_ONCE) {
      this.#waiting.push(ask);
      return;
    }
    this.#id = this.#id >= 0xffff_fffc ? 2 : this.#id + 2;
    ask.id = this.#id;
    ask.incoming = new Incoming();
    ask.outgoing = new Outgoing(this.#connection.window);
    this.#open.set(ask.id, ask);
    const { instance, id, value, header, payload } = ask;
    const head = { kind: KIND.HOST, instance, id, value, time: NO_DEADLINE };
    // What was begun is sent to its end unless the host has answered before, even if nobody waits any longer.
    this.#connection.pieces(head, header, payload, ask.outgoing);
  }

  /** Takes a frame of an answer: `DATA`, `DONE`, `ERROR` or `CREDIT`. */
  frame({ kind, instance, id, value, payload }) {
    const ask = this.#open.get(id);
    if (ask === undefined || ask.instance !== instance) {
      return;
    }
    switch (kind) {
      case KIND.CREDIT:
        ask.outgoing.add(value);
        return;
      case KIND.ERROR:
        this.#end(ask);
        ask.reject(told(payload));
        return;
      case KIND.DATA: {
        const credit = ask.incoming.add(payload, false);
        if (credit > 0) {
          this.#connection.send({ kind: KIND.CREDIT, instance, id, value: credit });
        }
        return;
      }
      default:
        ask.incoming.add(payload, true);
        this.#end(ask);
        ask.resolve(ask.incoming.whole());
    }
  }

  #end(ask) {
    this.#open.delete(ask.id);
    ask.outgoing.stop();
    ask.over();
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#begin(next);
    }
  }
}

function told(payload) {
  const { code = "internal", message = "", recoverable, data } = parse(payload) ?? {};
  return new PluginError(code, message, { recoverable, data });
}

function refused(code, message) {
  return Promise.reject(new PluginError(code, message));
}

function cancelled() {
  return new PluginError("cancelled", "the host has cancelled this call", { recoverable: true });
}

function cut(message) {
  const text = String(message);
  return text.length > LINE ? `${text.slice(0, LINE)}…` : text;
}

/** The fields as far as JSON can say them and a line has room for them. */
function fitting(fields) {
  if (fields === undefined) {
    return undefined;
  }
  try {
    const text = JSON.stringify(fields);
    return text.length <= LINE ? fields : { shortened: text.slice(0, LINE) };
  } catch (why) {
    return { shortened: String(why) };
  }
}
