// What a plugin imports as "midplane". See index.d.ts.

export { PluginError } from "./src/error.js";

export function definePlugin(plugin) {
  return plugin;
}

export const version = "0.1.0";
