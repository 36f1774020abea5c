// Reading files below one folder.

import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { PluginError } from "midplane";

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** Bytes of a file at most. */
const MOST = 4 * 1024 * 1024;

/** The text of a file below a folder. Throws `outside` for one that is not below it, links followed. */
export async function readWithin(folder, file) {
  const root = await realpath(path.resolve(HERE, folder));
  const found = await realpath(path.resolve(root, file));
  if (!found.startsWith(root + path.sep)) {
    throw new PluginError("outside", `${file} is not in the folder that \`root\` names`);
  }
  const bytes = await readFile(found);
  if (bytes.length > MOST) {
    throw new PluginError("too_large", `${file} has ${bytes.length} bytes; ${MOST} are read at most`);
  }
  return bytes.toString("utf8");
}
