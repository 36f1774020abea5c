// What every instance has from its first moment, and little of it: each engine loads it. A function of `native`, what
// Rust offers (see ../native.rs); gives the functions that Rust calls, in the order of ../tools.rs.
export default (native) => {
  const sdk = {};
  const modules = (name) => (sdk[name] ??= native.module(name));
  const plugin = { shape: undefined };
  let made;
  const work = () => (made ??= native.part("work")(native, modules, plugin));

  // ---- the plugin

  /** Reads the plugin: answers with what it offers. */
  function shape(namespace) {
    plugin.shape = modules("shape").shapeOf(namespace);
    const { self, info, actions, hooks } = plugin.shape;
    const declared = (self ?? namespace).actions ?? {};
    return JSON.stringify({
      info,
      actions: actions.map(({ name, raw, run }) => ({ name, raw, plain: isPlain(run), declared: Object.hasOwn(declared, name) })),
      hooks: [...hooks.keys()],
    });
  }

  /** A function that takes one plain parameter and has no other way to its arguments needs no context made for it. */
  function isPlain(run) {
    const text = Function.prototype.toString.call(run);
    return /^(?:async\s+)?(?:(?:function\b\s*)?[\w$]*\s*\(\s*[\w$]*\s*\)|[\w$]+\s*=>)/.test(text) && !/\barguments\b|\beval\b|\[native code\]/.test(text);
  }

  /** Finds again, in another instance, what the first one offered. */
  function bind(namespace, plan) {
    const { actions, hooks } = JSON.parse(plan);
    let self = namespace.default;
    self = self?.__esModule === true && "default" in self ? self.default : self;
    self = typeof self === "function" ? new self() : self;
    const from = self ?? namespace;
    const found = (what) => (typeof what === "function" ? what : what.run);
    plugin.shape = {
      self,
      actions: actions.map(({ name, raw, declared }) => ({ name, raw, run: found(declared ? from.actions[name] : from[name]) })),
      hooks: new Map(hooks.map(([name, spelling]) => [name, from[spelling]])),
    };
  }

  /** What an action's function is called with as `this`, and the functions. */
  const entries = () => [plugin.shape.self, ...plugin.shape.actions.map(({ run }) => run)];

  // ---- globals, made when somebody asks for them

  const own = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  const later = (names, make) => {
    for (const name of names) {
      Object.defineProperty(globalThis, name, {
        configurable: true,
        get() {
          const made = make();
          for (const name of names) {
            own(name, made[name]);
          }
          return made[name];
        },
        set: (value) => void own(name, value),
      });
    }
  };
  const part = (name) => () => native.part(name)(native, work().host, modules);
  later(["console", "setTimeout", "setInterval", "clearTimeout", "clearInterval"], work);
  later(["AbortController", "AbortSignal", "Event", "EventTarget"], part("abort"));
  later(["TextEncoder", "TextDecoder"], part("text"));
  later(["URL", "URLSearchParams"], part("url"));
  later(["structuredClone"], part("clone"));
  later(["fetch", "Headers", "Request", "Response"], part("fetch"));
  later(["crypto"], part("crypto"));

  // ---- buffers

  // The binding gives Rust the length that an array began with: it has to know when that may be another one.
  const { apply } = Reflect;
  for (const [{ prototype }, name] of [[ArrayBuffer, "resize"], [SharedArrayBuffer, "grow"]]) {
    const change = prototype[name];
    const { [name]: value } = { [name](length) { native.resize(); return apply(change, this, [length]); } };
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }

  const Bytes = Uint8Array;
  const settled = (array) => new Bytes(array);

  return [
    (number) => work().context(number),
    (result, raw) => work().reply(result, raw),
    (thrown) => JSON.stringify(modules("outcome").recordOf(thrown)).toWellFormed(),
    (id) => work().fire(id),
    () => made?.abort(),
    (promise, reason, isHandled) => work().rejected(promise, reason, isHandled),
    (result) => made?.complain(result),
    (name, input, number) => work().hook(name, input, number),
    shape,
    entries,
    () => made?.stop(),
    settled,
    bind,
  ];
};
