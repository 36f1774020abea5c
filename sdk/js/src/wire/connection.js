// The peer's side of contract/wire.md: what arrives, whose turn it is, what is answered.

import { PluginError } from "../error.js";
import { chunkOf, isChunks, recordOf, stringify } from "../outcome.js";
import { Asks } from "./asks.js";
import { Breach, CHUNK, CONNECTION, FLAG, KIND, LIMITS } from "./frame.js";
import { Request, keyOf, object } from "./request.js";

/** Requests that may wait for the instance. */
const QUEUE = 16;
const NONE = new Uint8Array(0);

/** An answer of the SDK itself, with a code of the contract. */
export class Refusal extends Error {
  constructor(code, message, remedy) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

/** An error record that goes out as it is. */
export class Told extends Error {
  constructor(record) {
    super(record.message);
    this.record = record;
  }
}

/**
 * Serves one host. `wire` writes (`write(head, header, payload)`, `drained()`, `end(code)`); `peer` answers: `load(json)`,
 * `open(number, identity)`, `close()`, `call(index, input, scope)` and `hook(name, input, scope)` give bytes, chunks or
 * promises of them, and throw. `spent(number)`, where there is one, says whether an instance is good for nothing after an
 * error. The instance gets one request at a time.
 */
export class Connection {
  #wire;
  #peer;
  #greeted = false;
  #chunk = LIMITS.chunk;
  #requests = new Map();
  #queue = [];
  #running;

  constructor(wire, peer) {
    this.#wire = wire;
    this.#peer = peer;
    this.window = LIMITS.window;
    this.asks = new Asks(this);
  }

  greet(name) {
    const hello = { versions: [1], features: ["stream", "cancel", "host"], limits: LIMITS, peer: name };
    this.send({ kind: KIND.HELLO, instance: CONNECTION, id: 0 }, stringify(hello));
  }

  /** Takes a frame. Header and payload are copied where they stay. */
  frame(frame) {
    const { kind, flags, id } = frame;
    if (!this.#greeted && kind !== KIND.HELLO) {
      throw new Breach("the first frame is not HELLO");
    }
    switch (kind) {
      case KIND.CALL:
      case KIND.HOOK:
      case KIND.LOAD:
      case KIND.OPEN:
      case KIND.CLOSE:
        this.#request(frame);
        return;
      case KIND.DATA:
        if ((flags & FLAG.MORE) !== 0 && frame.payload.length === 0) {
          throw new Breach("an empty DATA frame that is not the last");
        }
        this.#routed(frame, () => this.#piece(frame));
        return;
      case KIND.CREDIT:
        this.#routed(frame, () => this.#requests.get(keyOf(frame.instance, id))?.outgoing.add(frame.value));
        return;
      case KIND.DONE:
        this.asks.frame(frame);
        return;
      case KIND.ERROR:
        if (id === 0) {
          throw new Error(`the host ends the connection: ${new TextDecoder().decode(frame.payload)}`);
        }
        this.asks.frame(frame);
        return;
      case KIND.CANCEL:
        this.#cancel(frame);
        return;
      case KIND.PING:
        this.send({ kind: KIND.PONG, instance: frame.instance, id });
        return;
      case KIND.PONG:
        return;
      case KIND.HELLO:
        this.#hello(frame);
        return;
      case KIND.SHUTDOWN:
        this.#wire.end(0);
        return;
      default:
        if (kind < 128) {
          throw new Breach(`there is no frame of kind ${kind} from a host`);
        }
    }
  }

  /** Even ids are of what this side asked. */
  #routed(frame, ours) {
    if (frame.id % 2 === 0) {
      this.asks.frame(frame);
    } else {
      ours();
    }
  }

  #hello({ header }) {
    if (this.#greeted) {
      throw new Breach("the host greets twice");
    }
    const { versions = [], limits = {} } = object("HELLO", header);
    if (!versions.includes(1)) {
      throw new Breach(`the host speaks the protocol ${versions}, this side 1`);
    }
    const { chunk = CHUNK, window = LIMITS.window } = limits;
    if (!(chunk >= 1024 && window >= chunk)) {
      throw new Breach(`nobody can work with chunks of ${chunk} in a window of ${window}`);
    }
    this.#chunk = Math.min(chunk, CHUNK);
    this.window = window;
    this.#greeted = true;
  }

  #request(frame) {
    const request = new Request(frame, this.window);
    this.#requests.set(request.key, request);
    this.#arrive(request, frame);
  }

  #piece(frame) {
    const request = this.#requests.get(keyOf(frame.instance, frame.id));
    if (request?.incoming !== undefined) {
      this.#arrive(request, frame);
    }
  }

  #arrive(request, { flags, payload }) {
    if ((flags & FLAG.MORE) === 0 && request.incoming === undefined) {
      this.#turn(request, payload.slice());
      return;
    }
    const credit = request.take(payload, (flags & FLAG.MORE) === 0);
    if (request.incoming.size > LIMITS.payload) {
      this.#fail(request, { code: "limit_exceeded", message: `an input of more than ${LIMITS.payload} bytes` });
    } else if ((flags & FLAG.MORE) === 0) {
      const input = request.incoming.whole();
      request.incoming = undefined;
      this.#turn(request, input);
    } else if (credit > 0) {
      this.send({ kind: KIND.CREDIT, instance: request.instance, id: request.id, value: credit });
    }
  }

  /** Runs the request now, or when those before it have ended. */
  #turn(request, input) {
    if (this.#running === undefined) {
      this.#run(request, input);
    } else if (this.#queue.length >= QUEUE) {
      const message = `more than ${QUEUE} requests wait for the instance`;
      this.#fail(request, { code: "overloaded", message, recoverable: true });
    } else {
      this.#queue.push({ request, input });
    }
  }

  #run(request, input) {
    this.#running = request;
    let result;
    try {
      result = this.#perform(request, input);
    } catch (thrown) {
      if (thrown instanceof Breach) {
        throw thrown;
      }
      this.#fail(request, this.#recordOf(request, thrown));
      return;
    }
    if (typeof result?.then === "function") {
      result.then((value) => this.#done(request, value)).catch((thrown) => this.#fail(request, this.#recordOf(request, thrown)));
    } else if (result === undefined || (result instanceof Uint8Array && result.length <= Math.min(this.#chunk, this.window))) {
      this.send(this.#answer(request, result), NONE, result);
      this.#over(request);
    } else {
      this.#done(request, result).catch((thrown) => this.#fail(request, this.#recordOf(request, thrown)));
    }
  }

  #perform(request, input) {
    const peer = this.#peer;
    switch (request.kind) {
      case KIND.CALL:
        return peer.call(request.instance, request.value, input, request);
      case KIND.HOOK:
        return peer.hook(request.instance, request.hook, input, request);
      case KIND.LOAD:
        return peer.load(object("LOAD", input));
      case KIND.OPEN:
        return peer.open(request.instance, request.origin);
      default:
        return peer.close(request.instance);
    }
  }

  /** Sends a result: bytes, chunks, or `undefined` for a hook that there is not. */
  async #done(request, result) {
    const { instance, id, outgoing } = request;
    if (isChunks(result)) {
      for await (const chunk of result) {
        const bytes = chunkOf(chunk);
        if (bytes.length > 0) {
          await this.pieces({ kind: KIND.DATA, instance, id }, NONE, bytes, outgoing, true);
        }
        if (request.cancelled) {
          throw new PluginError("cancelled", "the host has cancelled this call");
        }
      }
      result = NONE;
    }
    await this.pieces(this.#answer(request, result), NONE, result ?? NONE, outgoing);
    if (request.cancelled && outgoing.unsent) {
      throw new PluginError("cancelled", "the host has cancelled this call");
    }
    this.#over(request);
  }

  #answer({ instance, id }, result) {
    return { kind: KIND.DONE, flags: result === undefined ? FLAG.ABSENT : 0, instance, id };
  }

  #recordOf(request, thrown) {
    if (thrown instanceof Refusal) {
      return { code: thrown.code, message: thrown.message, remedy: thrown.remedy };
    }
    const record = thrown instanceof Told ? thrown.record : recordOf(thrown);
    return request.cancelled ? { code: "cancelled", message: "the call was cancelled", data: { ended: record } } : record;
  }

  #fail(request, record) {
    let json = stringify(record);
    if (json.length > this.#chunk) {
      json = stringify({ code: record.code, message: record.message.slice(0, this.#chunk / 8), data: { shortened: true } });
    }
    const flags = this.#peer.spent?.(request.instance) ? FLAG.SPENT : 0;
    this.send({ kind: KIND.ERROR, flags, instance: request.instance, id: request.id }, NONE, json);
    this.#over(request);
  }

  #over(request) {
    this.#requests.delete(request.key);
    if (this.#running !== request) {
      return;
    }
    this.#running = undefined;
    const next = this.#queue.shift();
    if (next !== undefined) {
      this.#run(next.request, next.input);
    }
  }

  #cancel({ instance, id }) {
    const request = this.#requests.get(keyOf(instance, id));
    if (request === undefined) {
      return;
    }
    request.cancel();
    if (request !== this.#running) {
      this.#queue = this.#queue.filter((waiting) => waiting.request !== request);
      this.#fail(request, { code: "cancelled", message: "the call was cancelled before it began" });
    }
  }

  /** Tells the host which rule of the protocol it broke. */
  breach(message) {
    this.send({ kind: KIND.ERROR, instance: CONNECTION, id: 0 }, NONE, stringify({ code: "protocol_error", message }));
  }

  /** Sends one frame. */
  send(head, header = NONE, payload = NONE) {
    this.#wire.write(head, header, payload);
  }

  /**
   * Sends a message in as many frames as chunk and credit ask for, the first with `head`. With `more` its last frame is
   * not the message's. Answers go out as `DATA` and end with their own head.
   */
  pieces(head, header, payload, outgoing, more = false) {
    if (payload.length <= this.#chunk && payload.length <= outgoing.credit) {
      outgoing.credit -= payload.length;
      this.send({ ...head, flags: (head.flags ?? 0) | (more ? FLAG.MORE : 0) }, header, payload);
      return this.#wire.drained();
    }
    return this.#slowly(head, header, payload, outgoing, more);
  }

  async #slowly(head, header, payload, outgoing, more) {
    const { kind, instance, id } = head;
    const next = { kind: KIND.DATA, instance, id };
    let first = true;
    for (let at = 0; at < payload.length || first; first = false) {
      await outgoing.room();
      if (outgoing.stopped) {
        outgoing.unsent = true;
        return;
      }
      const size = Math.min(payload.length - at, this.#chunk, outgoing.credit);
      outgoing.credit -= size;
      const last = at + size === payload.length;
      // A request begins with its own head, an answer ends with it.
      const own = kind === KIND.DONE ? last : first;
      const flags = last && !more ? (own ? (head.flags ?? 0) : 0) : FLAG.MORE;
      this.send({ ...(own ? head : next), flags }, first ? header : NONE, payload.subarray(at, at + size));
      at += size;
      await this.#wire.drained();
    }
  }
}
