// fetch through the host's `http.fetch` and its gate. Bodies are whole, not streams.
export default (native, host, modules) => {
  const decoder = () => new TextDecoder();

  class Headers {
    #map = new Map();

    constructor(init) {
      if (init === undefined || init === null) {
        return;
      }
      const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
      for (const [name, value] of pairs) {
        this.append(name, value);
      }
    }

    append(name, value) {
      const key = named(name);
      const before = this.#map.get(key);
      this.#map.set(key, before === undefined ? cleaned(value) : `${before}, ${cleaned(value)}`);
    }

    set(name, value) {
      this.#map.set(named(name), cleaned(value));
    }

    get(name) {
      return this.#map.get(named(name)) ?? null;
    }

    has(name) {
      return this.#map.has(named(name));
    }

    delete(name) {
      this.#map.delete(named(name));
    }

    forEach(act, self) {
      for (const [name, value] of this) {
        act.call(self, value, name, this);
      }
    }

    entries() {
      return [...this.#map].sort(([one], [other]) => (one < other ? -1 : 1))[Symbol.iterator]();
    }

    *keys() {
      for (const [name] of this.entries()) {
        yield name;
      }
    }

    *values() {
      for (const [, value] of this.entries()) {
        yield value;
      }
    }

    [Symbol.iterator]() {
      return this.entries();
    }
  }

  function named(name) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
      throw new TypeError(`${JSON.stringify(String(name))} is no name of a header`);
    }
    return String(name).toLowerCase();
  }

  function cleaned(value) {
    const text = String(value).trim();
    if (/[\0\r\n]/.test(text)) {
      throw new TypeError("the value of a header cannot hold a line break");
    }
    return text;
  }

  class Body {
    #bytes;
    bodyUsed = false;

    constructor(body) {
      this.#bytes = body;
    }

    #taken() {
      if (this.bodyUsed) {
        throw new TypeError("the body was read already");
      }
      this.bodyUsed = true;
      return this.#bytes ?? new Uint8Array(0);
    }

    static bytesOf(body) {
      return body.#bytes;
    }

    async bytes() {
      return this.#taken();
    }

    async arrayBuffer() {
      const bytes = this.#taken();
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    }

    async text() {
      return decoder().decode(this.#taken());
    }

    async json() {
      return JSON.parse(decoder().decode(this.#taken()));
    }
  }

  function bodyOf(body, headers) {
    if (body === undefined || body === null) {
      return undefined;
    }
    const kind = typeof body === "string" ? "text/plain;charset=UTF-8" : body instanceof URLSearchParams ? "application/x-www-form-urlencoded;charset=UTF-8" : undefined;
    if (kind !== undefined && !headers.has("content-type")) {
      headers.set("content-type", kind);
    }
    const bytes = modules("outcome").asBytes(body instanceof URLSearchParams ? String(body) : body);
    if (bytes === undefined) {
      throw new TypeError("a body is text, bytes or URLSearchParams here");
    }
    return bytes;
  }

  class Request extends Body {
    constructor(input, { method, headers, body, signal } = {}) {
      const from = input instanceof Request ? input : undefined;
      const own = new Headers(headers ?? from?.headers);
      const bytes = bodyOf(body, own) ?? (from && Body.bytesOf(from));
      super(bytes);
      this.url = from?.url ?? new URL(input).href;
      this.method = String(method ?? from?.method ?? "GET").toUpperCase();
      this.headers = own;
      this.signal = signal ?? from?.signal;
      if (bytes !== undefined && (this.method === "GET" || this.method === "HEAD")) {
        throw new TypeError(`a ${this.method} request has no body`);
      }
    }
  }

  class Response extends Body {
    constructor(body, { status = 200, statusText = "", headers, url = "" } = {}) {
      const own = new Headers(headers);
      super(bodyOf(body, own));
      this.status = status;
      this.statusText = statusText;
      this.headers = own;
      this.url = url;
    }

    get ok() {
      return this.status >= 200 && this.status < 300;
    }

    static json(value, init = {}) {
      const headers = new Headers(init.headers);
      headers.set("content-type", "application/json");
      return new Response(JSON.stringify(value), { ...init, headers });
    }
  }

  async function fetch(input, init) {
    const request = new Request(input, init);
    request.signal?.throwIfAborted();
    const args = { url: request.url, method: request.method, headers: Object.fromEntries(request.headers) };
    const answer = await host.ask("http.fetch", args, Body.bytesOf(request));
    const end = answer.indexOf(10);
    const { status, headers } = JSON.parse(decoder().decode(end < 0 ? answer : answer.subarray(0, end)));
    const body = end < 0 ? undefined : answer.subarray(end + 1);
    return new Response(body, { status, headers, url: request.url });
  }

  return { fetch, Headers, Request, Response };
};
