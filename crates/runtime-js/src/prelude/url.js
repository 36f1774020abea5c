// URL and URLSearchParams. The parser is Rust's (the crate `url`), which follows the WHATWG's text.
export default (native) => {
  const [HREF, ORIGIN, PROTOCOL, USERNAME, PASSWORD, HOST, HOSTNAME, PORT, PATHNAME, SEARCH, HASH] = Array(11).keys();
  const update = Symbol("update");

  class URL {
    #parts;
    #params;

    constructor(url, base) {
      this.#parts = native.url(String(url), base === undefined ? undefined : String(base));
      if (this.#parts === undefined) {
        throw new TypeError(`${JSON.stringify(String(url))} is no URL${base === undefined ? "" : ` at ${base}`}`);
      }
    }

    static canParse(url, base) {
      return native.url(String(url), base === undefined ? undefined : String(base)) !== undefined;
    }

    static parse(url, base) {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }

    get origin() {
      return this.#parts[ORIGIN];
    }

    get searchParams() {
      this.#params ??= URLSearchParams[update](this.#parts[SEARCH], (text) => this.#set("search", text, true));
      return this.#params;
    }

    toString() {
      return this.#parts[HREF];
    }

    toJSON() {
      return this.#parts[HREF];
    }

    #set(part, value, quiet) {
      const parts = native.urlWith(this.#parts[HREF], part, String(value));
      if (parts === undefined) {
        if (part === "href") {
          throw new TypeError(`${JSON.stringify(String(value))} is no URL`);
        }
        return;
      }
      this.#parts = parts;
      if (!quiet && (part === "href" || part === "search")) {
        this.#params?.[update](parts[SEARCH]);
      }
    }

    static {
      const accessors = { href: HREF, protocol: PROTOCOL, username: USERNAME, password: PASSWORD, host: HOST, hostname: HOSTNAME, port: PORT, pathname: PATHNAME, search: SEARCH, hash: HASH };
      for (const [name, at] of Object.entries(accessors)) {
        Object.defineProperty(URL.prototype, name, {
          enumerable: true,
          configurable: true,
          get() {
            return this.#parts[at];
          },
          set(value) {
            this.#set(name, value, false);
          },
        });
      }
    }
  }

  class URLSearchParams {
    #pairs = [];
    #changed = () => {};

    constructor(init = "") {
      if (typeof init === "object" && init !== null) {
        const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
        for (const pair of pairs) {
          const [name, value, ...more] = pair;
          if (value === undefined || more.length > 0) {
            throw new TypeError("each pair needs a name and a value");
          }
          this.#pairs.push([String(name), String(value)]);
        }
      } else {
        this.#pairs = native.query(String(init).replace(/^\?/, ""));
      }
    }

    static [update](search, changed) {
      const params = new URLSearchParams(search);
      params.#changed = changed;
      return params;
    }

    [update](search) {
      this.#pairs = native.query(search.replace(/^\?/, ""));
    }

    get size() {
      return this.#pairs.length;
    }

    append(name, value) {
      this.#pairs.push([String(name), String(value)]);
      this.#changed(this.toString());
    }

    delete(name, value) {
      this.#pairs = this.#pairs.filter((pair) => pair[0] !== String(name) || (value !== undefined && pair[1] !== String(value)));
      this.#changed(this.toString());
    }

    get(name) {
      return this.#pairs.find((pair) => pair[0] === String(name))?.[1] ?? null;
    }

    getAll(name) {
      return this.#pairs.filter((pair) => pair[0] === String(name)).map((pair) => pair[1]);
    }

    has(name, value) {
      return this.#pairs.some((pair) => pair[0] === String(name) && (value === undefined || pair[1] === String(value)));
    }

    set(name, value) {
      const at = this.#pairs.findIndex((pair) => pair[0] === String(name));
      if (at < 0) {
        this.#pairs.push([String(name), String(value)]);
      } else {
        this.#pairs[at][1] = String(value);
        this.#pairs = this.#pairs.filter((pair, index) => index <= at || pair[0] !== String(name));
      }
      this.#changed(this.toString());
    }

    sort() {
      this.#pairs.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
      this.#changed(this.toString());
    }

    forEach(act, self) {
      for (const [name, value] of this) {
        act.call(self, value, name, this);
      }
    }

    *entries() {
      for (let at = 0; at < this.#pairs.length; at++) {
        yield [...this.#pairs[at]];
      }
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

    toString() {
      return native.queryText(this.#pairs);
    }
  }

  return { URL, URLSearchParams };
};
