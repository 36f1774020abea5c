import type { Plugin } from "./index.js";

/** Where a connection stands. `waiting`: it is tried again after a pause. `closed`: it is not tried again. */
export type ConnectionState = "connecting" | "connected" | "waiting" | "closed";

export interface ConnectOptions {
  /** The host's address: `ws://127.0.0.1:7420/plugin/connect`. */
  url: string | URL;
  /** The plugin's id: 1 to 128 of `a-z 0-9 . _ -`. */
  id: string;
  /**
   * A one-use token of the host, or a function that gets one. A text is used for the first connection; for later ones the
   * host gives its own, good for 5 minutes after a connection was lost. When there is none, or the host does not know it
   * any longer, the function is asked again; without a function the connection is `closed`.
   */
  token: string | (() => string | Promise<string>);
  /** The plugin, run in this thread: it may use the page. A loop without end in it is a plugin that hangs. */
  plugin?: Plugin | (new () => Plugin);
  /**
   * Instead of `plugin`: the address of a module whose default export is the plugin. Every instance runs in a worker
   * of its own, which is ended when a call that the host has cancelled does not end.
   */
  worker?: string | URL;
  name?: string;
  /** Semantic version; `0.0.0` unless it is said. */
  version?: string;
  description?: string;
  /** Words that the host keeps and shows. */
  capabilities?: string[];
  /** What the plugin asks the host for, as in a manifest: `plugin.call:other/*`. The operator grants. */
  permissions?: string[];
  /** JSON Schema of its configuration. */
  config_schema?: object;
  /** Another WebSocket than the global one. */
  WebSocket?: typeof WebSocket;
  /** Told of every change; `why` says what ended a connection. */
  onState?: (state: ConnectionState, why?: string) => void;
  /** Pauses between tries in milliseconds: the first, and the longest. 500 and 30,000 unless it is said. */
  retry?: { first?: number; longest?: number };
}

export interface PluginConnection {
  readonly state: ConnectionState;
  /** Ends the connection for good; the plugin is then `stopped` with its host. */
  close(): void;
  /** Ends with the reason once the state is `closed`. */
  readonly closed: Promise<string>;
}

/**
 * Connects a plugin to its host, and again whenever the connection is lost. It is not tried again after `close()`, after the
 * host has unloaded the plugin, and after a refusal that another try would not change.
 */
export function connect(options: ConnectOptions): PluginConnection;
