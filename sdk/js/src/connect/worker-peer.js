// A plugin that runs in workers, one for each instance: what does not end there can be ended from here.

import { stringify } from "../outcome.js";
import { Refusal, Told } from "../wire/connection.js";
import { identityOf } from "./page-peer.js";

/** Milliseconds that a cancelled call has to end before its worker is ended. The host waits 2,000. */
const PATIENCE = 300;
const NONE = new Uint8Array(0);
const THREAD = new URL("./worker-thread.js", import.meta.url);

export class WorkerPeer {
  connection;
  #url;
  #rooms = new Map();
  /** The worker that was started to learn what the plugin is; the first instance moves in. */
  #ready;

  constructor(url) {
    this.#url = url;
  }

  async load() {
    const room = await Room.make(this);
    const facts = await room.request({ do: "load", url: this.#url.href });
    this.#ready = room;
    return stringify(facts);
  }

  async open(number, identity) {
    const room = this.#ready ?? (await Room.make(this));
    const fresh = this.#ready === undefined;
    this.#ready = undefined;
    room.number = number;
    this.#rooms.set(number, room);
    if (fresh) {
      await room.request({ do: "load", url: this.#url.href });
    }
    await room.request({ do: "open", identity: identityOf(number, identity) });
    return NONE;
  }

  close(number) {
    this.#rooms.get(number)?.end();
    this.#rooms.delete(number);
    return NONE;
  }

  call(number, index, input, request) {
    return this.#opened(number).request({ do: "call", index, input }, request);
  }

  hook(number, name, input, request) {
    return this.#opened(number).request({ do: "hook", name, input }, request);
  }

  /** Whether an instance is good for nothing more. */
  spent(number) {
    return this.#rooms.get(number)?.ended === true;
  }

  end() {
    this.#ready?.end();
    this.#rooms.forEach((room) => room.end());
  }

  #opened(number) {
    const room = this.#rooms.get(number);
    if (room === undefined) {
      throw new Refusal("not_loaded", `instance ${number} is not open`);
    }
    return room;
  }
}

/** One worker, and what is asked of it. */
class Room {
  number = 0;
  ended = false;
  #worker;
  #peer;
  #waiting = new Map();
  #id = 0;

  static async make(peer) {
    const room = new Room();
    room.#peer = peer;
    room.#worker = await start((message) => room.#told(message), (why) => room.#died(why));
    return room;
  }

  /** Asks for something; promises bytes, chunks, or what a hook that there is not gives. */
  request(message, scope) {
    if (this.ended) {
      throw gone("the instance's worker has ended");
    }
    const id = ++this.#id;
    const about = scope && { caller: scope.caller, trace: scope.trace, deadline: scope.deadline };
    return new Promise((resolve, reject) => {
      const forget = scope?.whenCancelled(() => this.#cancel(id));
      this.#waiting.set(id, { resolve, reject, forget, scope });
      this.#worker.postMessage({ ...message, id, about });
    });
  }

  end() {
    this.ended = true;
    this.#worker.terminate();
  }

  #cancel(id) {
    this.#worker.postMessage({ do: "cancel", id });
    setTimeout(() => {
      if (this.#waiting.has(id)) {
        this.#died("it did not stop when its call was cancelled", "cancelled");
      }
    }, PATIENCE);
  }

  #told(message) {
    if (message.ask !== undefined) {
      return this.#ask(message);
    }
    if (message.log !== undefined) {
      const { level, text, fields } = message.log;
      this.#peer.connection.asks.log(this.number, level, text, fields);
      return;
    }
    if (message.abort) {
      return globalThis.process?.abort();
    }
    const asked = this.#waiting.get(message.id);
    if (asked === undefined) {
      return;
    }
    if (message.chunks) {
      // The call goes on until the last chunk.
      asked.resolve(this.#chunks(message.id, asked));
    } else {
      this.#done(message.id);
      message.error === undefined ? asked.resolve(message.result) : asked.reject(new Told(message.error));
    }
  }

  async *#chunks(id, asked) {
    try {
      for (;;) {
        const { value, done } = await new Promise((resolve, reject) => {
          this.#waiting.set(id, { ...asked, resolve, reject });
          this.#worker.postMessage({ do: "next", id });
        });
        if (done) {
          return;
        }
        yield value;
      }
    } finally {
      this.#done(id);
      this.ended || this.#worker.postMessage({ do: "leave", id });
    }
  }

  #done(id) {
    this.#waiting.get(id)?.forget?.();
    this.#waiting.delete(id);
  }

  async #ask({ ask, name, args, payload, of }) {
    let answer;
    try {
      const scope = this.#waiting.get(of)?.scope;
      answer = { result: await this.#peer.connection.asks.ask(this.number, name, args, payload, scope) };
    } catch ({ code, message, recoverable, data }) {
      answer = { error: { code, message, recoverable, data } };
    }
    this.ended || this.#worker.postMessage({ do: "answer", ask, ...answer });
  }

  #died(why, code = "crashed") {
    if (this.ended) {
      return;
    }
    this.end();
    for (const [id, { reject }] of [...this.#waiting]) {
      this.#done(id);
      reject(new Told({ code, message: `the instance's worker has ended: ${why}` }));
    }
  }
}

function gone(message) {
  return new Told({ code: "not_running", message });
}

/** Starts a worker, as browsers do or as Node does. */
async function start(told, died) {
  if (typeof globalThis.Worker === "function") {
    const worker = new Worker(THREAD, { type: "module" });
    worker.onmessage = ({ data }) => told(data);
    worker.onerror = (event) => died(event.message ?? "it could not be started");
    return worker;
  }
  const { Worker: Thread } = await import("node:worker_threads");
  const worker = new Thread(THREAD);
  worker.on("message", told);
  worker.on("error", (why) => died(why?.message ?? String(why)));
  worker.on("exit", (code) => died(`exit code ${code}`));
  return worker;
}
