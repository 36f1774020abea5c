// One plugin's connections, one after the other.

import { Session } from "./session.js";

/** Pauses between tries, in milliseconds. */
const FIRST = 500;
const LONGEST = 30_000;
/** A connection that held for so long was a good one: the next pause is the first again. */
const GOOD = 10_000;

export class Connector {
  state;
  #options;
  #session;
  #renewal;
  #used = false;
  #pause;
  #timer;
  #finish;

  constructor(options) {
    this.#options = options;
    this.#pause = options.retry?.first ?? FIRST;
    this.closed = new Promise((resolve) => (this.#finish = resolve));
    this.#try();
  }

  close() {
    clearTimeout(this.#timer);
    this.#session?.end();
    this.#over("it was closed here");
  }

  async #try() {
    this.#become("connecting");
    let token;
    try {
      token = await this.#token();
    } catch (why) {
      return this.#again(`no token: ${why?.message ?? why}`);
    }
    if (this.state === "closed") {
      return;
    }
    if (token === undefined) {
      return this.#over("there is no token to connect with again");
    }
    const began = Date.now();
    const connected = (renewal) => {
      this.#renewal = renewal;
      this.#become("connected");
    };
    this.#session = new Session({ ...this.#options, token, connected });
    const { why, last } = await this.#session.ended;
    this.#session = undefined;
    if (this.state === "closed") {
      return;
    }
    if (Date.now() - began > GOOD) {
      this.#pause = this.#options.retry?.first ?? FIRST;
    }
    // A refused token may be one that the host has forgotten; a new one is another matter.
    if (last && !(last === "token" && typeof this.#options.token === "function")) {
      return this.#over(why);
    }
    this.#again(why);
  }

  async #token() {
    const { token } = this.#options;
    const renewal = this.#renewal;
    this.#renewal = undefined;
    if (renewal !== undefined) {
      return renewal;
    }
    if (typeof token === "function") {
      return token();
    }
    const first = !this.#used;
    this.#used = true;
    return first ? token : undefined;
  }

  #again(why) {
    if (this.state === "closed") {
      return;
    }
    this.#become("waiting", why);
    // Not everybody at once when a host comes back.
    const pause = this.#pause * (0.75 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, this.#options.retry?.longest ?? LONGEST);
    this.#timer = setTimeout(() => this.#try(), pause);
  }

  #over(why) {
    if (this.state !== "closed") {
      this.#become("closed", why);
      this.#finish(why);
    }
  }

  #become(state, why) {
    this.state = state;
    this.#options.onState?.(state, why);
  }
}
