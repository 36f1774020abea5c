// A plugin's code becomes its shape.

import fs from "node:fs";
import { pathToFileURL } from "node:url";

import { PluginError } from "./error.js";
import { recordOf } from "./outcome.js";
import { provide } from "./sdk-import.js";
import { shapeOf } from "./shape.js";
import { Refusal } from "./wire/connection.js";

/**
 * Imports the module at a path.
 *
 * @returns its shape, and `build`: an identity of the file's content
 * @throws Refusal that says why it cannot be a plugin
 */
export async function load(main) {
  const build = identityOf(main);
  provide(main);
  const module = await import(pathToFileURL(main).href).catch((why) => Promise.reject(unimportable(main, why)));
  try {
    return { shape: shapeOf(module), build };
  } catch (why) {
    if (why instanceof PluginError && why.code === "not_a_plugin") {
      throw new Refusal(why.code, `${main}: ${why.message}`, "see contract/js.md for the shape of a plugin");
    }
    throw why;
  }
}

function unimportable(main, why) {
  if (why?.code === "ERR_MODULE_NOT_FOUND") {
    const remedy = "run `npm install` in the plugin's folder, or correct the import";
    return new Refusal("dependency_not_found", `${main} imports what is not there: ${why.message}`, remedy);
  }
  if (why instanceof SyntaxError || why?.code === "ERR_UNKNOWN_FILE_EXTENSION") {
    // Its stack begins with file, line and the line's text.
    const place = String(why.stack).split("\n    at ")[0];
    return new Refusal("not_a_plugin", `${main} cannot be read as JavaScript: ${place.slice(0, 2000)}`, "correct the code");
  }
  const { message, data } = recordOf(why);
  const remedy = "what stands at the top level of the module must not fail";
  return new Refusal("panicked", `importing ${main} failed: ${message}\n${data.stack ?? why?.stack ?? ""}`, remedy);
}

/** Two 32-bit hashes (after Bob Jenkins' one-at-a-time) and the length. It tells changes apart, it does not protect. */
function identityOf(main) {
  let content;
  try {
    content = fs.readFileSync(main);
  } catch (why) {
    throw new Refusal("io", `${main} cannot be read: ${why.message}`, "see whether the file is there and may be read");
  }
  let [one, two] = [content.length, ~content.length];
  for (const byte of content) {
    one = Math.imul(one + byte, 1025);
    one ^= one >>> 6;
    two = Math.imul(two ^ byte, 0x0100_0193);
  }
  return [one, two].map((hash) => (hash >>> 0).toString(16).padStart(8, "0")).join("");
}
