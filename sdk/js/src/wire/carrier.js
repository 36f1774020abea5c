// Where the stream of bytes comes from in each engine.

import net from "node:net";

/** Bytes that are read at once. */
const READ = 256 * 1024;

/**
 * Opens this end of the wire. Gives `{fd, stream}`: where bytes are written at once, and what queues those that the system
 * does not take. `onData` gets views that hold only until it returns; `onEnd` is told that the host is gone.
 */
export function open(fd, onData, onEnd) {
  // Deno and Bun cannot take a descriptor for a socket of theirs: there the host makes it standard input and output.
  const foreign = globalThis.Deno !== undefined || globalThis.Bun !== undefined;
  return foreign ? standard(onData, onEnd) : descriptor(fd, onData, onEnd);
}

function descriptor(fd, onData, onEnd) {
  const buffer = Buffer.allocUnsafeSlow(READ);
  const onread = { buffer, callback: (count) => (onData(buffer.subarray(0, count)), true) };
  const stream = new net.Socket({ fd, readable: true, writable: true, onread });
  stream.on("end", onEnd).on("close", onEnd).on("error", onEnd);
  stream.resume();
  return { fd, stream };
}

function standard(onData, onEnd) {
  const { stdin, stdout, stderr } = process;
  stdin.on("data", onData).on("end", onEnd).on("error", onEnd);
  const stream = Object.create(stdout, { write: { value: stdout.write.bind(stdout) } });
  // What a plugin prints belongs into the log, not between frames.
  stdout.write = stderr.write.bind(stderr);
  return { fd: 1, stream };
}
