// structuredClone: the algorithm of HTML, for the types that this engine has.
export default () => {
  const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const refuse = (what) => new DOMException(`${what} cannot be cloned`, "DataCloneError");

  function structuredClone(value, { transfer = [] } = {}) {
    const seen = new Map();
    for (const buffer of transfer) {
      if (!(buffer instanceof ArrayBuffer)) {
        throw refuse("what is transferred is no ArrayBuffer: it");
      }
    }
    const cloned = clone(value, seen);
    for (const buffer of transfer) {
      buffer.transfer();
    }
    return cloned;
  }

  function clone(value, seen) {
    if (typeof value === "function" || typeof value === "symbol") {
      throw refuse(`a ${typeof value}`);
    }
    if (value === null || typeof value !== "object") {
      return value;
    }
    if (seen.has(value)) {
      return seen.get(value);
    }
    const kept = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    switch (Object.prototype.toString.call(value)) {
      case "[object Date]":
        return kept(new Date(value.getTime()));
      case "[object RegExp]":
        return kept(new RegExp(value.source, value.flags));
      case "[object Boolean]":
      case "[object Number]":
      case "[object String]":
      case "[object BigInt]":
        return kept(Object(value.valueOf()));
      case "[object Promise]":
      case "[object WeakMap]":
      case "[object WeakSet]":
      case "[object WeakRef]":
      case "[object Generator]":
        throw refuse(Object.prototype.toString.call(value).slice(8, -1));
      default:
        return structure(value, seen, kept);
    }
  }

  function structure(value, seen, kept) {
    if (value instanceof ArrayBuffer) {
      return kept(value.slice(0));
    }
    if (ArrayBuffer.isView(value)) {
      const buffer = clone(value.buffer, seen);
      return kept(new value.constructor(buffer, value.byteOffset, value instanceof DataView ? value.byteLength : value.length));
    }
    if (value instanceof Map) {
      const copy = kept(new Map());
      for (const [key, item] of [...value]) {
        copy.set(clone(key, seen), clone(item, seen));
      }
      return copy;
    }
    if (value instanceof Set) {
      const copy = kept(new Set());
      for (const item of [...value]) {
        copy.add(clone(item, seen));
      }
      return copy;
    }
    if (value instanceof Error) {
      const copy = kept(new (ERRORS[value.name] ?? Error)(value.message));
      if ("cause" in value) {
        copy.cause = clone(value.cause, seen);
      }
      Object.defineProperty(copy, "stack", { value: String(value.stack), writable: true, configurable: true });
      return copy;
    }
    const copy = kept(Array.isArray(value) ? new Array(value.length) : {});
    for (const key of Object.keys(value)) {
      Object.defineProperty(copy, key, { value: clone(value[key], seen), writable: true, enumerable: true, configurable: true });
    }
    return copy;
  }

  return { structuredClone };
};
