// Events as far as AbortController needs them, and AbortController itself.
export default () => {
  class Event {
    #type;
    target = null;
    currentTarget = null;
    cancelable = false;
    defaultPrevented = false;

    constructor(type, { cancelable = false } = {}) {
      this.#type = String(type);
      this.cancelable = Boolean(cancelable);
    }

    get type() {
      return this.#type;
    }

    preventDefault() {
      this.defaultPrevented = this.cancelable;
    }
  }

  class EventTarget {
    #listeners = new Map();

    addEventListener(type, listener, options) {
      if (listener === null || listener === undefined) {
        return;
      }
      const { once = false, signal } = typeof options === "object" && options !== null ? options : {};
      if (signal?.aborted) {
        return;
      }
      const list = this.#listeners.get(type) ?? [];
      if (!list.some((entry) => entry.listener === listener)) {
        this.#listeners.set(type, [...list, { listener, once }]);
        signal?.addEventListener("abort", () => this.removeEventListener(type, listener), { once: true });
      }
    }

    removeEventListener(type, listener) {
      const list = this.#listeners.get(type) ?? [];
      this.#listeners.set(type, list.filter((entry) => entry.listener !== listener));
    }

    dispatchEvent(event) {
      event.target = event.currentTarget = this;
      const own = this[`on${event.type}`];
      const entries = this.#listeners.get(event.type) ?? [];
      if (typeof own === "function") {
        told(own, this, event);
      }
      for (const { listener, once } of entries) {
        if (once) {
          this.removeEventListener(event.type, listener);
        }
        told(typeof listener === "function" ? listener : listener.handleEvent?.bind(listener), this, event);
      }
      return !event.defaultPrevented;
    }
  }

  /** A listener that fails stops no other one. */
  function told(listener, target, event) {
    try {
      listener?.call(target, event);
    } catch (error) {
      Promise.reject(error);
    }
  }

  const abort = Symbol("abort");

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    onabort = null;

    get aborted() {
      return this.#aborted;
    }

    get reason() {
      return this.#reason;
    }

    throwIfAborted() {
      if (this.#aborted) {
        throw this.#reason;
      }
    }

    [abort](reason) {
      if (this.#aborted) {
        return;
      }
      this.#aborted = true;
      this.#reason = reason === undefined ? new DOMException("the operation was aborted", "AbortError") : reason;
      this.dispatchEvent(new Event("abort"));
    }

    static abort(reason) {
      const signal = new AbortSignal();
      signal[abort](reason);
      return signal;
    }

    static timeout(milliseconds) {
      const signal = new AbortSignal();
      setTimeout(() => signal[abort](new DOMException("the operation timed out", "TimeoutError")), milliseconds);
      return signal;
    }

    static any(signals) {
      const any = new AbortSignal();
      for (const signal of signals) {
        if (signal.aborted) {
          any[abort](signal.reason);
          break;
        }
        signal.addEventListener("abort", () => any[abort](signal.reason), { once: true });
      }
      return any;
    }
  }

  class AbortController {
    #signal = new AbortSignal();

    get signal() {
      return this.#signal;
    }

    abort(reason) {
      this.#signal[abort](reason);
    }
  }

  return { AbortController, AbortSignal, Event, EventTarget };
};
