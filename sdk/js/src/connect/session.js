// One connection: the registration in text, then the wire in binary messages.

import { Connection } from "../wire/connection.js";
import { Decoder } from "../wire/decoder.js";
import { Breach } from "../wire/frame.js";
import { SocketWire } from "./socket-wire.js";

/** What the host closes with when the plugin is no longer needed. */
const UNLOADED = 1000;
/** What this side closes with when the host broke the protocol. */
const BROKEN = 4002;

export class Session {
  #socket;
  #peer;
  #connection;
  #decoder;
  #refusal;
  #options;

  /** `connected(renewal)` is told when the host has taken the plugin in. `ended` gives `{why, last}`. */
  constructor(options) {
    this.#options = options;
    const { url, WebSocket } = options;
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#register();
    this.#socket.onmessage = ({ data }) => (typeof data === "string" ? this.#told(data) : this.#bytes(new Uint8Array(data)));
    // The close that follows says what there is to say.
    this.#socket.onerror = () => {};
    this.ended = new Promise((resolve) => (this.#socket.onclose = (event) => resolve(this.#over(event))));
  }

  end() {
    this.#socket.close(UNLOADED);
  }

  #register() {
    const { register, token } = this.#options;
    this.#socket.send(JSON.stringify({ id: "1", method: "register", params: { ...register, token } }));
  }

  /** The answer to the registration; nothing else comes as text. */
  #told(text) {
    const { result, error } = JSON.parse(text);
    if (error !== undefined || result?.success !== true) {
      this.#refusal = error ?? { message: "the host did not say that the plugin is registered" };
      return;
    }
    const { peer, name, connected } = this.#options;
    this.#peer = peer();
    const wire = new SocketWire(this.#socket);
    this.#connection = new Connection(wire, this.#peer);
    this.#peer.connection = this.#connection;
    this.#decoder = new Decoder((frame) => this.#connection.frame(frame));
    this.#connection.greet(name);
    connected(result.renewal);
  }

  #bytes(bytes) {
    try {
      this.#decoder?.feed(bytes);
    } catch (why) {
      if (why instanceof Breach) {
        this.#connection.breach(why.message);
      }
      this.#socket.close(BROKEN, String(why.message).slice(0, 40));
    }
  }

  #over({ code, reason }) {
    this.#peer?.end?.();
    const refused = this.#refusal;
    if (refused !== undefined) {
      const transient = ["limit_exceeded", "overloaded", "already_registered", "deadline_exceeded"].includes(refused.code);
      return { why: refused.message, last: transient ? false : refused.code === "permission_denied" ? "token" : "refusal" };
    }
    if (code === UNLOADED) {
      return { why: reason || "the host needs the plugin no longer", last: "unloaded" };
    }
    return { why: reason || `the connection was lost (${code})`, last: false };
  }
}
