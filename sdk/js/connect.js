// Plugins that dial their host: pages in browsers, and programs that run anyway. See connect.d.ts and contract/text.md.

import { Connector } from "./src/connect/connector.js";
import { PagePeer } from "./src/connect/page-peer.js";
import { WorkerPeer } from "./src/connect/worker-peer.js";
import { version } from "./index.js";

/** Connects a plugin to its host, and again whenever the connection is lost. */
export function connect({ url, id, token, plugin, worker, WebSocket = globalThis.WebSocket, onState, retry, ...about }) {
  if (typeof WebSocket !== "function") {
    throw new TypeError("there is no WebSocket here; Node has one from version 22 on, and from 20.10 with --experimental-websocket");
  }
  if ((plugin === undefined) === (worker === undefined)) {
    throw new TypeError("give either `plugin`, an object that runs here, or `worker`, the address of a module that runs in a worker");
  }
  const peer = () => (plugin === undefined ? new WorkerPeer(new URL(worker)) : new PagePeer(plugin));
  const process_id = globalThis.process?.pid;
  const register = { plugin_id: id, process_id, ...about, protocol: "wire" };
  const name = `midplane-js ${version}`;
  return new Connector({ url: String(url), token, register, peer, name, WebSocket, onState, retry });
}
