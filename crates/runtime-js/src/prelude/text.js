// TextEncoder and TextDecoder. UTF-8 and Latin-1 and UTF-16; others are a RangeError.
export default (native) => {
  const LABELS = {
    "utf-8": "utf-8", utf8: "utf-8", "unicode-1-1-utf-8": "utf-8",
    "utf-16le": "utf-16le", "utf-16": "utf-16le", "ucs-2": "utf-16le", unicode: "utf-16le",
    "utf-16be": "utf-16be",
  };

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }

    encode(text = "") {
      return native.encode(String(text).toWellFormed());
    }

    encodeInto(text, target) {
      let read = 0;
      let written = 0;
      for (const letter of String(text).toWellFormed()) {
        const bytes = native.encode(letter);
        if (written + bytes.length > target.length) {
          break;
        }
        target.set(bytes, written);
        written += bytes.length;
        read += letter.length;
      }
      return { read, written };
    }
  }

  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #kept = new Uint8Array(0);
    #begun = false;

    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
      this.#encoding = LABELS[String(label).trim().toLowerCase()];
      if (this.#encoding === undefined) {
        throw new RangeError(`the encoding ${label} is not supported: utf-8, utf-16le and utf-16be are`);
      }
      this.#fatal = Boolean(fatal);
      this.#ignoreBOM = Boolean(ignoreBOM);
    }

    get encoding() {
      return this.#encoding;
    }

    get fatal() {
      return this.#fatal;
    }

    get ignoreBOM() {
      return this.#ignoreBOM;
    }

    decode(input, { stream = false } = {}) {
      let bytes = bytesOf(input);
      if (this.#kept.length > 0) {
        const whole = new Uint8Array(this.#kept.length + bytes.length);
        whole.set(this.#kept);
        whole.set(bytes, this.#kept.length);
        bytes = whole;
      }
      const end = stream ? complete(bytes, this.#encoding) : bytes.length;
      this.#kept = bytes.slice(end);
      const text = native.decode(bytes.subarray(0, end), this.#encoding, this.#fatal);
      if (text === undefined) {
        this.#kept = new Uint8Array(0);
        this.#begun = false;
        throw new TypeError(`the bytes are not ${this.#encoding}`);
      }
      const first = !this.#begun;
      this.#begun = stream && (this.#begun || end > 0);
      return first && !this.#ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    }
  }

  function bytesOf(input) {
    if (input === undefined) {
      return new Uint8Array(0);
    }
    if (ArrayBuffer.isView(input)) {
      return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    }
    if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) {
      return new Uint8Array(input);
    }
    throw new TypeError("bytes are needed: a view or an ArrayBuffer");
  }

  /** Where the last letter that is not complete begins. */
  function complete(bytes, encoding) {
    const end = bytes.length;
    if (encoding !== "utf-8") {
      const even = end - (end % 2);
      const high = even >= 2 ? bytes[encoding === "utf-16le" ? even - 1 : even - 2] : 0;
      return high >= 0xd8 && high <= 0xdb ? even - 2 : even;
    }
    for (let back = 1; back <= Math.min(3, end); back++) {
      const byte = bytes[end - back];
      if ((byte & 0xc0) !== 0x80) {
        const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        return needs > back ? end - back : end;
      }
    }
    return end;
  }

  return { TextEncoder, TextDecoder };
};
