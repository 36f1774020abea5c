// `import … from "midplane"` where it is not installed: it resolves to the SDK that this file belongs to.

import fs from "node:fs";
import * as module from "node:module";
import path from "node:path";

/** What a specifier of this package stands for. */
const HERE = {
  midplane: new URL("../index.js", import.meta.url).href,
  "midplane/testing": new URL("../testing.js", import.meta.url).href,
};

/** Files that are looked through at most. */
const FILES = 256;
const MENTIONED = /["']midplane(?:\/testing)?["']/;
const RELATIVE = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;

/**
 * Makes the specifiers resolve. Does so only for code that names one, because engines without hooks in the same thread
 * start another thread for it, which costs half of a start.
 */
export function provide(main) {
  if (!isImported(main)) {
    return;
  }
  if (globalThis.Bun !== undefined) {
    provideInBun();
  } else if (typeof module.registerHooks === "function") {
    module.registerHooks({ resolve: (specifier, context, next) => installedOr(specifier, () => next(specifier, context)) });
  } else if (typeof module.register === "function") {
    module.register("./sdk-import-thread.js", import.meta.url, { data: HERE });
  }
}

function provideInBun() {
  globalThis.Bun.plugin({
    name: "midplane",
    setup(build) {
      for (const [specifier, url] of Object.entries(HERE)) {
        build.module(specifier, async () => ({ exports: await import(url), loader: "object" }));
      }
    },
  });
}

function installedOr(specifier, resolve) {
  if (!Object.hasOwn(HERE, specifier)) {
    return resolve();
  }
  try {
    return resolve();
  } catch {
    return { url: HERE[specifier], format: "module", shortCircuit: true };
  }
}

/** Whether the code, or what it imports by relative paths, names the SDK. */
function isImported(main) {
  const files = [main];
  for (let at = 0; at < files.length && at < FILES; at++) {
    const text = read(files[at]);
    if (MENTIONED.test(text)) {
      return true;
    }
    for (const [, relative] of text.matchAll(RELATIVE)) {
      const file = path.resolve(path.dirname(files[at]), relative);
      if (!files.includes(file)) {
        files.push(file);
      }
    }
  }
  return false;
}

function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    // Whoever imports it will say that it is not there.
    return "";
  }
}
