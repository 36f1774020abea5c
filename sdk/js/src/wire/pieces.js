// Messages in pieces: what has come of one, and what may be sent of one.

import { Breach, LIMITS } from "./frame.js";

/** A message that arrives. Its pieces are copied; whoever sends it gets credit for them. */
export class Incoming {
  #pieces = [];
  #size = 0;
  #room = LIMITS.window;
  #owed = 0;

  get size() {
    return this.#size;
  }

  /**
   * Takes a piece. Gives back the credit that is to be sent for it, in bytes: 0 until half the window is taken, and after
   * the last piece. With `keep` false the bytes are only counted.
   */
  add(payload, last, keep = true) {
    this.#room -= payload.length;
    if (this.#room < 0) {
      throw new Breach("more bytes than credit");
    }
    if (keep && payload.length > 0) {
      this.#pieces.push(payload.slice());
    }
    this.#size += payload.length;
    this.#owed += payload.length;
    if (last || this.#owed < LIMITS.window / 2) {
      return 0;
    }
    const credit = this.#owed;
    this.#room += credit;
    this.#owed = 0;
    return credit;
  }

  /** Everything that has come, in one array of its own. */
  whole() {
    if (this.#pieces.length === 1) {
      return this.#pieces[0];
    }
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/** The credit of a message that leaves. */
export class Outgoing {
  #wake;

  constructor(window) {
    this.credit = window;
    this.stopped = false;
  }

  /** The other side has taken that much. */
  add(bytes) {
    this.credit += bytes;
    this.#wake?.();
  }

  /** Nobody wants the rest. */
  stop() {
    this.stopped = true;
    this.#wake?.();
  }

  /** Ends when there is credit, or when nobody wants more. */
  async room() {
    while (this.credit === 0 && !this.stopped) {
      await new Promise((wake) => (this.#wake = wake));
      this.#wake = undefined;
    }
  }
}
