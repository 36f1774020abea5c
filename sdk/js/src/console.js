// `console` writes to the plugin's log, with its levels.

import { format } from "node:util";

const LEVELS = { trace: "debug", debug: "debug", log: "info", info: "info", warn: "warn", error: "error" };

/** From now on lines go to `tell(level, message)`; where that answers `false`, they are printed. */
export function redirect(tell) {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method] = (...args) => {
      const line = format(...args);
      if (!tell(level, line)) {
        process.stderr.write(`${line}\n`);
      }
    };
  }
}
