// Frames of contract/wire.md: what their numbers mean, how a head is read and written.

export const MAGIC = "MIDPLANE";
export const HEAD = 24;
export const HEADER_CAP = 65_536;
export const CHUNK = 262_144;
export const LIMITS = { chunk: CHUNK, payload: 67_108_864, window: 1_048_576 };
/** The instance number of the connection itself. */
export const CONNECTION = 65_535;
export const NO_DEADLINE = 0xffff_ffff;

export const KIND = {
  HELLO: 1, LOAD: 2, OPEN: 3, CLOSE: 4, CALL: 5, HOOK: 6, HOST: 7, DATA: 8,
  DONE: 9, ERROR: 10, CANCEL: 11, CREDIT: 12, PING: 13, PONG: 14, SHUTDOWN: 15,
};
export const FLAG = { MORE: 1, STREAM: 2, ABSENT: 4, SPENT: 8 };

/** Functions of the host by their numbers. */
export const FUNCTIONS = [
  "log", "config.get", "state.get", "state.set", "state.compare_and_set", "state.delete", "state.list", "bus.publish",
  "bus.request", "bus.subscribe", "bus.unsubscribe", "call", "service.find", "service.call", "http.fetch",
  "metrics.count", "metrics.gauge", "metrics.observe", "secret.get", "time.now", "time.monotonic", "random",
];

/** The host broke the protocol; the connection ends. */
export class Breach extends Error {}

/** Writes a head at the beginning of `into`, with the lengths of what follows it. */
export function writeHead(into, { kind, flags = 0, instance, id, value = 0, time = 0 }, header, payload) {
  into[0] = kind;
  into[1] = flags;
  into[2] = instance & 255;
  into[3] = instance >>> 8;
  writeNumber(into, 4, id);
  writeNumber(into, 8, header);
  writeNumber(into, 12, payload);
  writeNumber(into, 16, value);
  writeNumber(into, 20, time);
}

function writeNumber(into, at, number) {
  into[at] = number & 255;
  into[at + 1] = (number >>> 8) & 255;
  into[at + 2] = (number >>> 16) & 255;
  into[at + 3] = number >>> 24;
}

/** A little-endian number of four bytes. */
export function readNumber(from, at) {
  return (from[at] | (from[at + 1] << 8) | (from[at + 2] << 16) | (from[at + 3] << 24)) >>> 0;
}
