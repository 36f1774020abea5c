// Bytes of the stream become frames. Nothing is copied where a frame lies whole in what was read.

import { Breach, CHUNK, HEAD, HEADER_CAP, MAGIC, readNumber } from "./frame.js";

/**
 * Cuts a stream into frames.
 *
 * `deliver` gets `{kind, flags, instance, id, value, time, header, payload}`. Header and payload are views that hold only
 * until it returns: what is to stay must be copied.
 */
export class Decoder {
  #deliver;
  /** The beginning of a frame that is not whole yet, and how much of it there is. */
  #partial = new Uint8Array(0);
  #have = 0;
  #magic = 0;

  constructor(deliver) {
    this.#deliver = deliver;
  }

  /** Takes what was read. Throws a `Breach` at what the protocol does not allow. */
  feed(bytes) {
    let at = this.#magic < MAGIC.length ? this.#greet(bytes) : 0;
    if (this.#have > 0) {
      at = this.#complete(bytes, at);
    }
    while (bytes.length - at >= HEAD) {
      const size = sizeOf(bytes, at);
      if (bytes.length - at < size) {
        break;
      }
      this.#hand(bytes, at);
      at += size;
    }
    if (at < bytes.length) {
      this.#begin(bytes.subarray(at));
    }
  }

  /** Checks the 8 bytes that a direction begins with. */
  #greet(bytes) {
    let at = 0;
    while (at < bytes.length && this.#magic < MAGIC.length) {
      if (bytes[at++] !== MAGIC.charCodeAt(this.#magic++)) {
        throw new Breach(`the stream does not begin with ${MAGIC}`);
      }
    }
    return at;
  }

  #begin(rest) {
    const size = rest.length >= HEAD ? sizeOf(rest, 0) : HEAD;
    this.#partial = new Uint8Array(size);
    this.#partial.set(rest);
    this.#have = rest.length;
  }

  /** Adds to the partial frame; gives back where the next one begins. */
  #complete(bytes, at) {
    while (this.#have > 0) {
      const take = Math.min(this.#partial.length - this.#have, bytes.length - at);
      this.#partial.set(bytes.subarray(at, at + take), this.#have);
      this.#have += take;
      at += take;
      if (this.#have < this.#partial.length) {
        return at;
      }
      const whole = this.#partial;
      const size = sizeOf(whole, 0);
      if (size > whole.length) {
        this.#begin(whole);
        continue;
      }
      this.#have = 0;
      this.#hand(whole, 0);
    }
    return at;
  }

  #hand(bytes, at) {
    const header = at + HEAD;
    const payload = header + readNumber(bytes, at + 8);
    this.#deliver({
      kind: bytes[at],
      flags: bytes[at + 1],
      instance: bytes[at + 2] | (bytes[at + 3] << 8),
      id: readNumber(bytes, at + 4),
      value: readNumber(bytes, at + 16),
      time: readNumber(bytes, at + 20),
      header: bytes.subarray(header, payload),
      payload: bytes.subarray(payload, payload + readNumber(bytes, at + 12)),
    });
  }
}

/** Bytes of the frame whose head is at `at`. */
function sizeOf(bytes, at) {
  const header = readNumber(bytes, at + 8);
  const payload = readNumber(bytes, at + 12);
  if (header > HEADER_CAP || payload > CHUNK) {
    throw new Breach(`a frame claims a header of ${header} and a payload of ${payload} bytes`);
  }
  return HEAD + header + payload;
}
