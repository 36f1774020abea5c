// `console` writes to the plugin's log, with its levels.

import { writeSync } from "node:fs";
import { format } from "node:util";

const LEVELS = { trace: "debug", debug: "debug", log: "info", info: "info", warn: "warn", error: "error" };

/** From now on lines go to `tell(level, message)`; where that answers `false`, they are printed. */
export function redirect(tell) {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method] = (...args) => {
      const line = format(...args);
      if (!tell(level, line)) {
        print(line);
      }
    };
  }
}

/** Prints a line and waits until it is written: a stream would keep in memory what nobody has read yet, without end. */
export function print(line) {
  let rest = Buffer.from(`${line}\n`);
  try {
    while (rest.length > 0) {
      rest = rest.subarray(writeSync(2, rest));
    }
  } catch {
    // Somebody has used the stream, which makes the descriptor one that does not wait.
    process.stderr.write(rest);
  }
}
