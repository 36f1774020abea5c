#!/usr/bin/env node
// Runs a plugin's module here and connects it to a host: `node dial.js ws://HOST/plugin/connect ID MODULE`, with the
// token in MIDPLANE_TOKEN. `--version 1.2.3`, `--name NAME`, `--capability WORD` and `--permission PERM` may follow, the
// last two more than once. It ends with the connection: with 0 when the host no longer needs the plugin.

import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { connect } from "./connect.js";

const list = { type: "string", multiple: true };
const options = { version: { type: "string" }, name: { type: "string" }, capability: list, permission: list };
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const [url, id, main] = positionals;
const { MIDPLANE_TOKEN: token } = process.env;
if (main === undefined || token === undefined) {
  console.error("usage: MIDPLANE_TOKEN=… dial.js ws://HOST/plugin/connect ID MODULE [--version V] [--permission P]…");
  process.exit(2);
}
// Plugins do not see it.
delete process.env.MIDPLANE_TOKEN;

const connection = connect({
  url,
  id,
  token,
  worker: pathToFileURL(path.resolve(main)),
  version: values.version,
  name: values.name,
  capabilities: values.capability,
  permissions: values.permission,
  onState: (state, why) => console.error(why === undefined ? state : `${state}: ${why}`),
});
const why = await connection.closed;
process.exit(why === "the host needs the plugin no longer" ? 0 : 1);
