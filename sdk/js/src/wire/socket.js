// This end of the wire: writes frames.

import fs from "node:fs";

import { open } from "./carrier.js";
import { HEAD, MAGIC, writeHead } from "./frame.js";

/** Frames up to this size are put together and written at once. */
const SMALL = 32 * 1024;

/**
 * Written to at once where the system takes it: a plugin that never gives way still gets its log lines out, and the
 * shortest path is one system call.
 */
export class Wire {
  #fd;
  #stream;
  #scratch = Buffer.allocUnsafeSlow(SMALL);
  #queued = 0;
  #drained;

  constructor(fd, onData, onEnd) {
    ({ fd: this.#fd, stream: this.#stream } = open(fd, onData, onEnd));
    this.#out(Buffer.from(MAGIC));
  }

  write(head, header, payload) {
    const size = HEAD + header.length + payload.length;
    const whole = size <= SMALL ? this.#scratch : Buffer.allocUnsafeSlow(size);
    writeHead(whole, head, header.length, payload.length);
    if (header.length > 0) {
      whole.set(header, HEAD);
    }
    whole.set(payload, HEAD + header.length);
    this.#out(whole, size);
  }

  #out(bytes, size = bytes.length) {
    let at = 0;
    while (this.#queued === 0 && at < size) {
      try {
        at += fs.writeSync(this.#fd, bytes, at, size - at);
      } catch (error) {
        if (error.code === "EAGAIN") {
          break;
        }
        // The host is gone; the end of the stream says so as well.
        return;
      }
    }
    if (at < size) {
      this.#later(Buffer.from(bytes.subarray(at, size)));
    }
  }

  /** What the system does not take at once goes through the stream's own queue, and so does all after it. */
  #later(bytes) {
    this.#queued += 1;
    this.#stream.write(bytes, () => {
      this.#queued -= 1;
      if (this.#queued === 0) {
        this.#drained?.done();
        this.#drained = undefined;
      }
    });
  }

  /** A promise of the moment when everything is written, or `undefined` where it is. */
  drained() {
    if (this.#queued > 0 && this.#drained === undefined) {
      let done;
      const promise = new Promise((resolve) => (done = resolve));
      this.#drained = { promise, done };
    }
    return this.#drained?.promise;
  }

  end(code) {
    process.exit(code);
  }
}
