import type { Caller, Json, Level, Plugin, PluginInfo } from "./index.d.ts";

/** Answers a host function: bytes and text as they are, everything else as JSON. May throw a `PluginError`. */
export type Answer = (args: Record<string, any>, payload: Uint8Array) => unknown;

/** Who the plugin is told that it is, and what its host says. */
export interface BenchOptions {
  /** Default: `test`. */
  id?: string;
  /** Default: `0.0.0`. */
  version?: string;
  /** Given to `onValidateConfig` and `onInit`. Default: `{}`. */
  config?: Record<string, Json>;
  /**
   * Host functions by their names in the contract, such as `call` or `http.fetch`. State (in memory), configuration, clocks,
   * chance, publishing, subscribing and metrics are answered without; everything else is `not_supported`. An answer of
   * `undefined` is no bytes; of `state.get`, that there is no value.
   */
  answers?: Record<string, Answer>;
}

/** Circumstances of one call. */
export interface CallOptions {
  caller?: Caller[];
  trace?: string;
  /** Milliseconds from now. Nothing ends the call; the plugin is told. */
  deadline?: number;
  /** Cancels the call when it is aborted. */
  signal?: AbortSignal;
}

/**
 * A plugin without a host: inputs and results go through the same JSON, errors through the same rules.
 *
 * Failures are `PluginError`s: with the plugin's own code where it answered one, else with the contract's (`panicked`). What
 * was thrown is the `cause`.
 */
export class Bench {
  /** Does not run `onInit`; [`bench`] does. Throws what `shapeOf` finds wrong, code `not_a_plugin`. */
  constructor(plugin: Plugin | object, options?: BenchOptions);
  /** What the plugin asked of its host, in order; without the log. */
  readonly asked: { name: string; args: Record<string, any>; payload: Uint8Array }[];
  /** What it wrote to its log through `ctx`. */
  readonly logs: { level: Level; message: string; fields?: Record<string, unknown> }[];
  /** Names of its actions, in order. */
  readonly actions: string[];
  /** What it says of itself. */
  readonly info: PluginInfo;
  /**
   * Calls an action. The input goes as JSON, bytes as they are. Gives parsed JSON; bytes of raw actions and of what is
   * no JSON; chunks in one piece.
   */
  call<T = any>(action: string, input?: unknown, options?: CallOptions): Promise<T>;
  /** The same, chunk by chunk. */
  chunks(action: string, input?: unknown, options?: CallOptions): Promise<Uint8Array[]>;
  /**
   * Runs a hook by its name here (`onStart`) or in the contract (`start`); `undefined` where the plugin has none.
   * `migrate` and `migrateBack` take `from` and the state.
   */
  hook<T = any>(name: string, ...inputs: unknown[]): Promise<T | undefined>;
}

/** A bench whose plugin has accepted its configuration: `onValidateConfig` and `onInit` have run. */
export function bench(plugin: Plugin | object, options?: BenchOptions): Promise<Bench>;
