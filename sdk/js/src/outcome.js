// What a result is as bytes, and what a thrown value is as an error record.

const BUGS = [TypeError, ReferenceError, RangeError, SyntaxError, EvalError, URIError];
/** Characters of a message or stack that a record holds, and of the JSON of `data`. One frame has room for all of it. */
const TEXT = 8 * 1024;
const DATA = 32 * 1024;

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NOTHING = new Uint8Array(0);

/** Bytes as they are, text as UTF-8; `undefined` for everything else. */
export function asBytes(value) {
  if (value instanceof Uint8Array) {
    return value;
  }
  if (typeof value === "string") {
    return encoder.encode(value);
  }
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (value instanceof ArrayBuffer || (typeof SharedArrayBuffer === "function" && value instanceof SharedArrayBuffer)) {
    return new Uint8Array(value);
  }
  return undefined;
}

/** JSON of bytes; `undefined` of none. Throws a `SyntaxError` or `TypeError`. */
export function parse(bytes) {
  return bytes.length === 0 ? undefined : JSON.parse(strict.decode(bytes));
}

/** JSON as bytes. Throws a `TypeError` for what JSON cannot say. */
export function stringify(value) {
  const text = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`a ${typeof value} is not JSON`);
  }
  return encoder.encode(text);
}

/** Whether a result comes in chunks. */
export function isChunks(value) {
  if (value === null || typeof value !== "object") {
    return false;
  }
  return typeof value[Symbol.asyncIterator] === "function" || Object.prototype.toString.call(value) === "[object Generator]";
}

/** An action's result as bytes. Throws a `TypeError` for what it cannot be. */
export function replyOf(result, raw) {
  if (result === undefined) {
    return NOTHING;
  }
  const bytes = typeof result === "string" && !raw ? undefined : asBytes(result);
  if (bytes !== undefined) {
    return bytes;
  }
  if (raw) {
    throw new TypeError(`a raw action gives bytes, text or chunks, not ${result === null ? "null" : `a ${typeof result}`}`);
  }
  return stringify(result);
}

/** A chunk as bytes. */
export function chunkOf(value) {
  const bytes = asBytes(value);
  if (bytes === undefined) {
    throw new TypeError(`a chunk is bytes or text, not ${value === null ? "null" : `a ${typeof value}`}`);
  }
  return bytes;
}

/** The error record for what was thrown: `{code, message, recoverable?, data}`, small enough for one frame. */
export function recordOf(thrown) {
  if (thrown === null || typeof thrown !== "object") {
    return { code: "panicked", message: cut(`thrown: ${shown(thrown)}`), data: {} };
  }
  const message = cut(shown(thrown.message));
  if (BUGS.some((bug) => thrown instanceof bug)) {
    const code = message === "Array buffer allocation failed" ? "memory_limit" : "panicked";
    return { code, message: `${shown(thrown.name)}: ${message}`, data: { name: shown(thrown.name), stack: cut(shown(thrown.stack)) } };
  }
  const own = typeof thrown.code === "string" && typeof thrown.message === "string";
  if (!own && !(thrown instanceof Error)) {
    return { code: "panicked", message: cut(`thrown: ${shown(thrown)}`), data: {} };
  }
  const recoverable = thrown.recoverable === true;
  const data = { code: cut(own ? thrown.code : shown(thrown.name)), message, recoverable };
  if (thrown.data !== undefined) {
    data.data = small(thrown.data);
  }
  return { code: "plugin_error", message, recoverable, data };
}

function shown(value) {
  try {
    return typeof value === "object" && value !== null && !(value instanceof Error) ? JSON.stringify(value) : String(value);
  } catch {
    return "something that cannot be shown";
  }
}

function cut(text) {
  return text.length > TEXT ? `${text.slice(0, TEXT)}…` : text;
}

/** Data as JSON can say it, or the beginning of its text. */
function small(data) {
  try {
    const text = JSON.stringify(data);
    return text === undefined || text.length > DATA ? { shortened: cut(String(text)) } : JSON.parse(text);
  } catch (why) {
    return { shortened: cut(shown(why)) };
  }
}
