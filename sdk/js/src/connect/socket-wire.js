// A WebSocket as what the wire's frames are written to.

import { HEAD, MAGIC, writeHead } from "../wire/frame.js";

/** Bytes that may wait in the WebSocket before whoever writes pieces waits as well, and how many may be left then. */
const FULL = 4 << 20;
const LOW = 1 << 20;
/** Milliseconds between two looks whether they have gone; a WebSocket does not say. */
const LOOK = 4;

export class SocketWire {
  #socket;
  #draining;

  constructor(socket) {
    this.#socket = socket;
    socket.send(new TextEncoder().encode(MAGIC));
  }

  write(head, header, payload) {
    const whole = new Uint8Array(HEAD + header.length + payload.length);
    writeHead(whole, head, header.length, payload.length);
    whole.set(header, HEAD);
    whole.set(payload, HEAD + header.length);
    // After the end there is nobody to write to.
    if (this.#socket.readyState === 1) {
      this.#socket.send(whole);
    }
  }

  drained() {
    if (this.#socket.bufferedAmount <= FULL || this.#socket.readyState !== 1) {
      return undefined;
    }
    this.#draining ??= new Promise((resolve) => {
      const look = () => {
        if (this.#socket.bufferedAmount > LOW && this.#socket.readyState === 1) {
          setTimeout(look, LOOK);
        } else {
          this.#draining = undefined;
          resolve();
        }
      };
      look();
    });
    return this.#draining;
  }

  end() {
    this.#socket.close(1000);
  }
}
