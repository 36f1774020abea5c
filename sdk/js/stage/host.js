// A host for tests: starts the runner as a Midplane host does and speaks the host's side of the wire.

import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Decoder } from "../src/wire/decoder.js";
import { CONNECTION, FLAG, FUNCTIONS, HEAD, KIND, MAGIC, NO_DEADLINE, writeHead } from "../src/wire/frame.js";

const RUN = fileURLToPath(new URL("../run.js", import.meta.url));
const NONE = Buffer.alloc(0);
/** The engine under test and its arguments; this one unless the variable says otherwise. */
const ENGINE = process.env.MIDPLANE_TEST_ENGINE?.split(" ") ?? [process.execPath];
/** How the host starts Deno and Bun: with the wire as standard input and output. */
const FOREIGN = ["/bin/sh", "-c", 'exec "$0" "$@" <&3 >&3 3>&-'];

/** A folder that goes with the test. */
export function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "midplane-js-"));
  t.after(() => fs.rmSync(made, { recursive: true }));
  return made;
}

/** Starts a plugin of this source, loaded and opened, whose host answers as `answer(name, args, payload)` says. */
export async function start(t, source, { answer, file = "plugin.mjs", config = {} } = {}) {
  const main = path.join(folder(t), file);
  fs.writeFileSync(main, source);
  const host = new Host(t, answer);
  host.greet();
  host.facts = JSON.parse(await host.load(main));
  await host.request({ kind: KIND.OPEN, header: { plugin: "under-test", version: "1.2.3", generation: 4 } });
  await host.hook("init", JSON.stringify(config));
  return host;
}

export class Host {
  facts;
  /** What the plugin asked: `{name, args, payload}`. */
  asked = [];
  frames = [];
  #id = -1;
  #waiting = new Map();
  #incoming = new Map();

  constructor(t, answer = () => NONE) {
    const stdio = ["ignore", "pipe", "pipe", "pipe"];
    const [command, ...args] = [...(/deno|bun/.test(ENGINE[0]) ? FOREIGN : []), ...ENGINE, RUN, "worker", "--fd", "3"];
    this.child = spawn(command, args, { stdio, env: { MIDPLANE_FD: "3", HOME: os.tmpdir(), NO_COLOR: "1" } });
    t.after(() => this.child.kill("SIGKILL"));
    this.output = "";
    this.child.stdout.on("data", (text) => (this.output += text));
    this.child.stderr.on("data", (text) => (this.output += text));
    this.ended = new Promise((resolve) => this.child.on("exit", (code, signal) => resolve(signal ?? code)));
    this.wire = this.child.stdio[3];
    this.wire.on("error", () => {});
    this.answer = answer;
    const decoder = new Decoder((frame) => this.#frame(frame));
    this.wire.on("data", (bytes) => decoder.feed(bytes));
  }

  greet(hello = { versions: [1] }) {
    this.wire.write(MAGIC);
    this.send({ kind: KIND.HELLO, instance: CONNECTION, id: 0 }, hello);
  }

  send(head, header, payload = NONE) {
    const json = header === undefined ? NONE : Buffer.from(JSON.stringify(header));
    const bytes = Buffer.alloc(HEAD + json.length + payload.length);
    writeHead(bytes, { instance: 0, time: NO_DEADLINE, ...head }, json.length, payload.length);
    bytes.set(json, HEAD);
    bytes.set(payload, HEAD + json.length);
    this.wire.write(bytes);
  }

  /** Sends a request; promises the answer's bytes, or rejects with the error record. */
  request({ header, payload = NONE, ...head }, pieces = []) {
    const id = (this.#id += 2);
    const answered = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, chunks: [] }));
    this.send({ id, flags: pieces.length > 0 ? FLAG.MORE : 0, ...head }, header, payload);
    pieces.forEach((piece, at) =>
      this.send({ kind: KIND.DATA, id, flags: at + 1 < pieces.length ? FLAG.MORE : 0 }, undefined, piece),
    );
    return Object.assign(answered, { id });
  }

  load(main) {
    return this.request({ kind: KIND.LOAD, instance: CONNECTION, payload: Buffer.from(JSON.stringify({ main })) });
  }

  hook(name, payload = "") {
    const value = ["info", "validate_config", "init", "start", "stop", "cleanup", "health", "ping", "get_config",
      "config_changed", "event", "dependency_changed", "export_state", "import_state", "migrate", "migrate_back"].indexOf(name);
    return this.request({ kind: KIND.HOOK, value, payload: Buffer.from(payload) });
  }

  call(name, payload = "", more = {}) {
    const value = this.facts.actions.indexOf(name);
    return this.request({ kind: KIND.CALL, value, payload: Buffer.from(payload), ...more });
  }

  cancel(id) {
    this.send({ kind: KIND.CANCEL, id });
  }

  /** Waits for something that a frame brings about. */
  async until(holds) {
    while (!holds()) {
      await new Promise((resolve) => this.wire.once("data", resolve));
    }
  }

  #frame({ kind, flags, id, value, header, payload }) {
    const copy = Buffer.from(payload);
    this.frames.push({ kind, flags, id, value, size: copy.length });
    const waiting = this.#waiting.get(id);
    if (kind === KIND.HOST || (kind === KIND.DATA && id % 2 === 0)) {
      this.#asked(id, flags, value, header, copy);
    } else if (kind === KIND.DATA) {
      waiting.chunks.push(copy);
      this.send({ kind: KIND.CREDIT, id, value: copy.length });
    } else if (kind === KIND.DONE || kind === KIND.ERROR) {
      this.#waiting.delete(id);
      const whole = Buffer.concat([...(waiting?.chunks ?? []), copy]);
      kind === KIND.DONE ? waiting?.resolve((flags & FLAG.ABSENT) === 0 ? whole : undefined) : waiting?.reject(JSON.parse(copy));
    }
  }

  #asked(id, flags, value, header, payload) {
    const begun = this.#incoming.get(id) ?? { name: FUNCTIONS[value], args: JSON.parse(Buffer.from(header)), chunks: [] };
    begun.chunks.push(payload);
    this.#incoming.set(id, begun);
    if ((flags & FLAG.MORE) !== 0) {
      this.send({ kind: KIND.CREDIT, id, value: payload.length });
      return;
    }
    this.#incoming.delete(id);
    const asked = { name: begun.name, args: begun.args, payload: Buffer.concat(begun.chunks) };
    this.asked.push(asked);
    Promise.resolve()
      .then(() => this.answer(asked.name, asked.args, asked.payload))
      .then((reply) => this.send({ kind: KIND.DONE, id }, undefined, Buffer.from(reply ?? NONE)))
      .catch(({ code, message }) => this.send({ kind: KIND.ERROR, id }, undefined, Buffer.from(JSON.stringify({ code, message }))));
  }
}
