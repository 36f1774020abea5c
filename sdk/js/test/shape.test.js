import assert from "node:assert/strict";
import { test } from "node:test";

import { shapeOf } from "../src/shape.js";

const names = ({ actions }) => actions.map(({ name }) => name);

test("the module of requirement 000 §3.6.1 is a plugin as it is printed", async () => {
  const printed = await import(
    `data:text/javascript,${encodeURIComponent(`
    export default {
      async onInit() { console.log('Module initializing...'); },
      async onStart() { console.log('Module started'); },
      async onStop() { console.log('Module stopping...'); },
      async onCleanup() { console.log('Module cleaning up...'); },
      async onHealthCheck() { return { status: 'healthy', details: {} }; },
    };`)}`
  );
  const { hooks, actions } = shapeOf(printed);
  assert.deepEqual([...hooks.keys()].sort(), ["cleanup", "health", "init", "start", "stop"]);
  assert.deepEqual(actions, []);
});

test("named exports of a module without a default one are its plugin", () => {
  const module = Object.freeze({ __proto__: null, onStart() {}, greet() {}, Class: class {}, limit: 3, _private() {} });
  const { self, hooks, ...shape } = shapeOf(module);
  assert.deepEqual([self, [...hooks.keys()], names(shape)], [undefined, ["start"], ["greet"]]);
});

test("a class is made into one object, with the methods of its parents", () => {
  class Parent {
    shared() {}
    own() {}
  }
  class Plugin extends Parent {
    field = () => {};
    own() {}
    onInit() {}
    get asked() {
      throw new Error("a getter was asked");
    }
  }
  const shape = shapeOf({ default: Plugin });
  assert.ok(shape.self instanceof Plugin);
  assert.deepEqual(names(shape), ["field", "own", "shared"]);
  assert.deepEqual([...shape.hooks.keys()], ["init"]);
});

test("what an action says of itself is in the description", () => {
  const act = { raw: true, description: "d", idempotent: true, deadline: 50, input: { type: "object" }, run() {} };
  const { info } = shapeOf({ default: { info: () => ({ version: "1.0.0" }), actions: { act } } });
  assert.deepEqual(JSON.parse(JSON.stringify(info)), {
    version: "1.0.0",
    actions: [{ name: "act", description: "d", input: { type: "object" }, idempotent: true, deadline_ms: 50 }],
  });
});

test("what compilers make of an ES module for CommonJS is read as that module", () => {
  assert.deepEqual(names(shapeOf({ default: { __esModule: true, default: { greet() {} } } })), ["greet"]);
});

test("a default export that is no plugin is refused by what it is", () => {
  for (const [given, said] of [[7, "a number"], [null, "null"], [() => {}, "a function"]]) {
    assert.throws(() => shapeOf({ default: given }), (error) => error.code === "not_a_plugin" && error.message.includes(said));
  }
});
