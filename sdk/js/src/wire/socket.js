// The descriptor on which the host is, as Node and Bun give it.

import fs from "node:fs";
import net from "node:net";

import { HEAD, MAGIC, writeHead } from "./frame.js";

/** Bytes that are read at once. */
const READ = 256 * 1024;
/** Frames up to this size are put together and written at once. */
const SMALL = 32 * 1024;

/**
 * A socket that is written to at once where the system takes it: a plugin that never gives way still gets its log lines
 * out, and the shortest path is one system call.
 */
export class Wire {
  #fd;
  #socket;
  #scratch = Buffer.allocUnsafeSlow(SMALL);
  #drained;

  /** `onData` gets views that hold only until it returns; `onEnd` is told that the host is gone. */
  constructor(fd, onData, onEnd) {
    this.#fd = fd;
    const onread = { buffer: Buffer.allocUnsafeSlow(READ), callback: (count, buffer) => (onData(buffer.subarray(0, count)), true) };
    this.#socket = new net.Socket({ fd, readable: true, writable: true, onread });
    this.#socket.on("end", onEnd).on("close", onEnd).on("error", onEnd);
    this.#socket.resume();
    this.#out(Buffer.from(MAGIC));
  }

  write(head, header, payload) {
    const size = HEAD + header.length + payload.length;
    const whole = size <= SMALL ? this.#scratch : Buffer.allocUnsafeSlow(size);
    writeHead(whole, { ...head, header: header.length, payload: payload.length });
    whole.set(header, HEAD);
    whole.set(payload, HEAD + header.length);
    this.#out(whole.subarray(0, size));
  }

  #out(bytes) {
    let at = 0;
    while (this.#drained === undefined && at < bytes.length) {
      try {
        at += fs.writeSync(this.#fd, bytes, at);
      } catch (error) {
        if (error.code === "EAGAIN") {
          break;
        }
        // The host is gone; the end of the stream says so as well.
        return;
      }
    }
    if (at < bytes.length) {
      this.#later(Buffer.from(bytes.subarray(at)));
    }
  }

  /** What the system does not take at once goes through the socket's own queue, and so does all after it. */
  #later(bytes) {
    this.#socket.write(bytes, () => {
      if (this.#socket.writableLength === 0) {
        this.#drained?.done();
        this.#drained = undefined;
      }
    });
    if (this.#drained === undefined) {
      let done;
      const promise = new Promise((resolve) => (done = resolve));
      this.#drained = { promise, done };
    }
  }

  /** A promise of the moment when everything is written, or `undefined` where it is. */
  drained() {
    return this.#drained?.promise;
  }

  end(code) {
    process.exit(code);
  }
}
