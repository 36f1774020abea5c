// Which hooks and actions a module offers: rules 1 to 6 of contract/js.md.

import { PluginError } from "./error.js";

/** The contract's name of each hook and JavaScript's, in the order of their numbers on the wire. */
export const HOOKS = [
  ["info", "info"],
  ["validate_config", "onValidateConfig"],
  ["init", "onInit"],
  ["start", "onStart"],
  ["stop", "onStop"],
  ["cleanup", "onCleanup"],
  ["health", "onHealthCheck"],
  ["ping", "ping"],
  ["get_config", "getConfig"],
  ["config_changed", "onConfigChanged"],
  ["event", "onEvent"],
  ["dependency_changed", "onDependencyChanged"],
  ["export_state", "exportState"],
  ["import_state", "importState"],
  ["migrate", "migrate"],
  ["migrate_back", "migrateBack"],
];

const BY_SPELLING = new Map(HOOKS.map(([name, spelling]) => [spelling, name]));
const PLAIN_NAME = /^[\w.:/@#-]{1,256}$/;
// Made when it is needed: some engines take longer for Unicode's tables than for all of this file.
const isName = (name) => PLAIN_NAME.test(name) || new RegExp("^[\\p{Alphabetic}\\p{N}_.:/@#-]{1,256}$", "u").test(name);

/**
 * Reads a module.
 *
 * @param module its namespace object
 * @returns `{self, info, actions, hooks}`: what `this` is, the description with the actions' in it, the actions in order as
 *   `{name, raw, run}`, and the hooks' functions by their names in the contract
 * @throws PluginError `not_a_plugin` that says what is wrong with it
 */
export function shapeOf(module) {
  const self = pluginOf(module);
  const methods = methodsOf(self ?? module);
  const hooks = new Map();
  for (const [spelling, run] of methods) {
    const name = BY_SPELLING.get(spelling);
    if (name !== undefined) {
      hooks.set(name, run);
      methods.delete(spelling);
    }
  }
  const actions = declared((self ?? module).actions);
  for (const [name, run] of methods) {
    if (name.startsWith("on") && new RegExp("^on\\p{Lu}", "u").test(name)) {
      throw misspelt(name);
    }
    if (actions.some((action) => action.name === name)) {
      throw unfit(`the action \`${name}\` is there twice: in \`actions\` and as a function of its own`);
    }
    actions.push(action(name, { run }));
  }
  const info = described(self ?? module, hooks.get("info"), self);
  hooks.delete("info");
  const specs = actions.map(({ spec }) => spec);
  return { self, info: { ...info, actions: specs }, actions, hooks };
}

/** What `this` is in hooks and actions; `undefined` for a module that is its own plugin. */
function pluginOf(module) {
  if (!("default" in module)) {
    return undefined;
  }
  let plugin = module.default;
  // What compilers make of an ES module for CommonJS.
  if (plugin?.__esModule === true && "default" in plugin) {
    plugin = plugin.default;
  }
  if (isClass(plugin)) {
    return new plugin();
  }
  if (plugin === null || typeof plugin !== "object") {
    throw unfit(`the default export is ${plugin === null ? "null" : `a ${typeof plugin}`}, not an object of hooks and actions`);
  }
  return plugin;
}

/** Functions of an object and of its prototypes, by name; a nearer one hides one further away. */
function methodsOf(object) {
  const methods = new Map();
  const seen = new Set(["constructor", "actions", "default"]);
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (seen.has(name) || name.startsWith("_")) {
        continue;
      }
      seen.add(name);
      // A getter is not asked: it might do something.
      const { value } = Object.getOwnPropertyDescriptor(at, name);
      if (typeof value === "function" && !isClass(value)) {
        methods.set(name, value);
      }
    }
  }
  return methods;
}

function isClass(value) {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/** What stands in `actions`. */
function declared(actions) {
  if (actions === undefined) {
    return [];
  }
  if (actions === null || typeof actions !== "object") {
    throw unfit("`actions` is not an object of functions");
  }
  return Object.entries(actions).map(([name, given]) => action(name, typeof given === "function" ? { run: given } : given));
}

function action(name, given) {
  if (!isName(name)) {
    throw unfit(`an action cannot be called \`${name}\`: letters, digits and _ . : / @ # - are allowed`);
  }
  if (typeof given?.run !== "function") {
    throw unfit(`the action \`${name}\` is neither a function nor an object with a function \`run\``);
  }
  const { run, raw, description, input, output, idempotent, deadline } = given;
  if (deadline !== undefined && !(Number.isSafeInteger(deadline) && deadline > 0)) {
    throw unfit(`the deadline of the action \`${name}\` is not a number of milliseconds`);
  }
  const spec = { name, description, input, output, idempotent, deadline_ms: deadline };
  return { name, raw: raw === true, run, spec };
}

function described(plugin, hook, self) {
  const info = hook === undefined ? plugin.info : hook.call(self);
  if (info !== undefined && (info === null || typeof info !== "object" || typeof info.then === "function")) {
    throw unfit("`info` is neither an object nor a function that returns one at once");
  }
  return info;
}

function misspelt(name) {
  const spellings = HOOKS.map(([, spelling]) => spelling).filter((spelling) => spelling.startsWith("on"));
  const nearest = spellings.reduce((best, spelling) => (distance(name, spelling) < distance(name, best) ? spelling : best));
  return unfit(`there is no hook \`${name}\`; did you mean \`${nearest}\`? An action of that name goes into \`actions\``);
}

/** Edits between two words, without case. */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const letter of one.toLowerCase()) {
    let diagonal = row[0]++;
    for (let at = 1; at <= other.length; at++) {
      const same = other[at - 1].toLowerCase() === letter;
      [diagonal, row[at]] = [row[at], same ? diagonal : 1 + Math.min(diagonal, row[at], row[at - 1])];
    }
  }
  return row[other.length];
}

function unfit(message) {
  return new PluginError("not_a_plugin", message);
}
