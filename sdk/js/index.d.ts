// Types of the Midplane SDK. What an engine does with them stands in contract/js.md.
//
// Times are milliseconds unless said otherwise, sizes are bytes. Every promise of a host function is rejected with a
// `PluginError` that has a code of the contract: `permission_denied` where the manifest or the operator does not allow
// it, `not_supported` where this host does not offer it, `cancelled` in a call that was cancelled, `protocol_error` where its
// answer does not fit, `invalid_reply` where another's reply is no JSON. Milliseconds are rounded up to whole ones.

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What goes to the host as it is; text as UTF-8. */
export type Bytes = Uint8Array | ArrayBuffer | ArrayBufferView | string;

/** Severity of a line in the log. */
export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** What an error says beyond its code and message. */
export interface ErrorDetails {
  /** Whether the same call may go well later. Default: false. */
  recoverable?: boolean;
  /** Anything worth telling the caller; JSON, of which 32 KiB reach the caller. */
  data?: Json;
  /** What led to it; stays in the plugin. */
  cause?: unknown;
}

/**
 * An error that a plugin answers deliberately. Callers get `plugin_error` with this code in `data.code`.
 *
 * Errors of the host are of this class too. Then `code` is one of the contract: `plugin_not_found`, `permission_denied`,
 * `deadline_exceeded`…
 */
export class PluginError extends Error {
  constructor(code: string, message: string, details?: ErrorDetails);
  /** A short word that programs can compare, such as `sold_out`. */
  readonly code: string;
  readonly recoverable: boolean;
  readonly data: Json | undefined;
}

/** One link of the chain of callers. */
export interface Caller {
  /** Id of the plugin that waits. */
  readonly plugin: string;
  /** The action it is in, if it is in one. */
  readonly action?: string;
}

/** Who a plugin is, as the host says. */
export interface Identity {
  readonly id: string;
  readonly version: string;
  /** Counts the loads of this plugin in this host, from 1. */
  readonly generation: number;
  /** Number of this instance, from 0. */
  readonly instance: number;
}

/** Limits of one call to somebody else. */
export interface CallLimits {
  /** Milliseconds. The call gets this or what is left of the calling one, whichever is less. */
  deadline?: number;
  /** Sends `input` and gives the reply as bytes, without JSON. */
  raw?: boolean;
}

/** The plugin's own storage. Keys are text. Values are bytes; the functions with `Json` write and read JSON. */
export interface State {
  /** The value; `undefined` where there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  getJson<T = any>(key: string): Promise<T | undefined>;
  /** Writes it. `ttl`: milliseconds after which it is gone; default: never. Fails with `limit_exceeded` over quota. */
  set(key: string, value: Bytes, options?: { ttl?: number }): Promise<void>;
  setJson(key: string, value: unknown, options?: { ttl?: number }): Promise<void>;
  /**
   * Writes `value` if the key's value is still `expected` (`undefined`: if there is none). Answers whether it was
   * written. `invalid_input` for an expected value that is not UTF-8, which the host cannot compare.
   */
  compareAndSet(
    key: string,
    expected: Bytes | undefined,
    value: Bytes,
    options?: { ttl?: number },
  ): Promise<boolean>;
  /** Removes it; a key that is not there is no error. */
  delete(key: string): Promise<void>;
  /** The keys that begin with `prefix`, sorted. */
  list(prefix?: string): Promise<string[]>;
}

/** Events. */
export interface Bus {
  /**
   * Publishes `data` on a topic: bytes as they are, everything else as JSON. With a `contentType`, another media type than
   * JSON's, `data` is bytes or text and goes as it is. With `retain` whoever subscribes later gets the event first.
   */
  publish(topic: string, data?: unknown, options?: { contentType?: string; retain?: boolean }): Promise<void>;
  /**
   * Asks a topic and gives the first answer that is not empty, which is what an `onEvent` has returned, parsed; with `raw`
   * both are bytes; `undefined` where all that are there return nothing. A question of another media type than JSON's says
   * so in `contentType` and goes as it is. Fails with `peer_gone` where nobody is there, `deadline_exceeded` where nobody
   * answers in time, and with the error of a hook where no other answers.
   */
  request<T = any>(topic: string, data?: unknown, options?: CallLimits & { contentType?: string }): Promise<T>;
  /**
   * From now on `onEvent` gets what is published on this topic (`*` is one level of it, `>` at the end the rest). Of the
   * plugins in a `group` one gets each event; a `filter` names fields of the data, or JSON pointers to them, and the values
   * they have to have: `{color: "red", "/size/width": 3}`.
   */
  subscribe(topic: string, options?: { group?: string; filter?: Record<string, Json> }): Promise<void>;
  /** Ends it; the topic is written as it was subscribed to. */
  unsubscribe(topic: string): Promise<void>;
}

/** Services by interface, whoever provides them. */
export interface Services {
  /** The providers of an interface, for example `("greeter", "^1")`. */
  find(name: string, range?: string): Promise<Json[]>;
  /** Calls an action of the provider that the host chooses. */
  call<T = any>(
    name: string,
    action: string,
    input?: unknown,
    options?: CallLimits & { range?: string },
  ): Promise<T>;
}

/** What came back from a web address. */
export interface HttpReply {
  /** The HTTP status, such as 200. */
  readonly status: number;
  /** Names in lower case; one that came more than once is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The body as UTF-8; what is none becomes U+FFFD. */
  text(): string;
  /** The body, parsed; `undefined` where it is empty. Throws `invalid_reply` where it is no JSON. */
  json(): any;
}

/** The web, through the host and its rules. */
export interface Http {
  /** What this address answers, whatever its status. */
  fetch(
    url: string,
    options?: { method?: string; headers?: Record<string, string>; body?: Bytes },
  ): Promise<HttpReply>;
}

/** Numbers for the operator's charts. */
export interface Metrics {
  /** Adds to a counter: 1 unless it is said, not below 0. */
  count(name: string, value?: number, labels?: Record<string, string>): Promise<void>;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Record<string, string>): Promise<void>;
  /** Adds to a histogram. */
  observe(name: string, value: number, labels?: Record<string, string>): Promise<void>;
}

/** What a plugin knows and may ask for during a call or hook. */
export interface Context<Config = any> {
  /** Who this is. */
  readonly plugin: Identity;
  /** The action that is called; `undefined` in hooks. */
  readonly action: string | undefined;
  /** The configuration in effect, frozen. */
  readonly config: Readonly<Config>;
  /** Who waits for this call, innermost first; empty when the host itself does. */
  readonly caller: readonly Caller[];
  /** W3C `traceparent`, if the call has one. */
  readonly trace: string | undefined;
  /** When this call must have ended, in milliseconds as `Date.now()` counts; `undefined`: no deadline. */
  readonly deadline: number | undefined;
  /** Aborted when the host cancels. What does not stop within 500 ms is killed. */
  readonly signal: AbortSignal;
  /** Whether the host has cancelled. */
  readonly cancelled: boolean;

  /** Writes a line to the plugin's log, 16 KiB at most. Never fails. */
  log(level: Level, message: string, fields?: Record<string, unknown>): void;
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;

  readonly state: State;
  readonly bus: Bus;
  readonly service: Services;
  readonly http: Http;
  readonly metrics: Metrics;
  readonly secret: {
    /** A secret by its name, as text. */
    get(name: string): Promise<string>;
  };
  readonly time: {
    /** The host's clock. */
    now(): Promise<Date>;
    /** Nanoseconds of a clock that never goes back. */
    monotonic(): Promise<bigint>;
  };

  /**
   * Calls an action of another plugin, `"id/action"`. The input goes as JSON (bytes as they are), the reply is parsed
   * (`undefined` when it is empty). With `raw` both are bytes. A reply that is no JSON is the error `invalid_reply`.
   */
  call<T = any>(address: string, input?: unknown, options?: CallLimits): Promise<T>;
  /** Random bytes, 65,536 at most. */
  random(bytes: number): Promise<Uint8Array>;
  /** Asks the host by a function's name in the contract, `"state.get"`: for what has no spelling of its own here. */
  host(name: string, args?: Record<string, Json>, payload?: Bytes): Promise<Uint8Array>;
}

/** A chunk of a reply. */
export type Chunk = Uint8Array | ArrayBuffer | string;

type Awaitable<T> = T | Promise<T>;

/** An action: parsed JSON in, anything that `contract/js.md` allows out. */
export type ActionFunction<This = any> = (this: This, input: any, ctx: Context) => unknown;

/** An action with more to say about it. */
export interface ActionObject<This = any> {
  /** Takes and gives bytes as they are. Default: false. */
  raw?: boolean;
  /** One sentence for people. */
  description?: string;
  /** JSON Schema of the input. */
  input?: object;
  /** JSON Schema of the output. */
  output?: object;
  /** May be repeated without changing the outcome. Default: false. */
  idempotent?: boolean;
  /** Longest time of a call in milliseconds. Default: the host's, 30,000. */
  deadline?: number;
  run(this: This, input: any, ctx: Context): unknown;
}

export type Action<This = any> = ActionFunction<This> | ActionObject<This>;

/** How a plugin is. */
export interface Health {
  status: "healthy" | "degraded" | "unhealthy";
  /** Anything worth showing; JSON. */
  details?: Record<string, unknown>;
}

/** What a plugin says of itself; needed where it comes without a manifest. */
export interface PluginInfo {
  id?: string;
  name?: string;
  /** Semantic version. */
  version?: string;
  description?: string;
  author?: string;
  /** SPDX expression. */
  license?: string;
  homepage?: string;
  tags?: string[];
  capabilities?: string[];
  dependencies?: { id: string; version?: string; optional?: boolean }[];
  /** Configuration that the plugin starts from. */
  config?: Record<string, Json>;
}

/** An event. */
export interface Envelope<T = any> {
  event_id: string;
  event_type: string;
  /** Id of the plugin that published it. */
  sender: string;
  data: T;
  /** RFC 3339. */
  timestamp: string;
  content_type?: string;
  trace?: string;
}

/**
 * A plugin. Everything may be missing. Every other function is an action of its name.
 *
 * A hook that throws fails what the host was about to do; a hook must end within 10 s unless the operator says
 * otherwise.
 */
export interface Plugin {
  info?: PluginInfo | (() => PluginInfo);
  actions?: Record<string, Action<any>>;
  /** Once per instance, before anything else. Throwing refuses the configuration. */
  onInit?(config: any, ctx: Context): Awaitable<unknown>;
  /** Calls begin. Work that goes on in the background starts here. */
  onStart?(ctx: Context): Awaitable<unknown>;
  /** Calls have ended. What `onStart` began ends here. */
  onStop?(ctx: Context): Awaitable<unknown>;
  /** Before unloading. */
  onCleanup?(ctx: Context): Awaitable<unknown>;
  /** Every 30 s and on demand. Nothing, or a status alone, is good as well. */
  onHealthCheck?(ctx: Context): Awaitable<Health | Health["status"] | void>;
  /** Before a configuration is accepted; throwing refuses it. Must change nothing. */
  onValidateConfig?(config: any, ctx: Context): Awaitable<unknown>;
  /** A live change, with the whole configuration; throwing keeps the one before. */
  onConfigChanged?(config: any, ctx: Context): Awaitable<unknown>;
  /** The configuration in effect. */
  getConfig?(ctx: Context): Awaitable<unknown>;
  /** Every 10 s. Ending is enough. */
  ping?(ctx: Context): Awaitable<unknown>;
  /** An event of a subscribed topic. What it returns is the answer where the event is a request; nothing is no answer. */
  onEvent?(event: Envelope, ctx: Context): Awaitable<unknown>;
  /** An optional dependency came or went. */
  onDependencyChanged?(dependency: { id: string; available: boolean }, ctx: Context): Awaitable<unknown>;
  /** The state to hand to the next generation. */
  exportState?(ctx: Context): Awaitable<Bytes>;
  /** The state of the generation before. */
  importState?(state: Uint8Array, ctx: Context): Awaitable<unknown>;
  /** Translates a state of the layout `from` to this one. */
  migrate?(from: string, state: Uint8Array, ctx: Context): Awaitable<Bytes>;
  /** Translates a state of this layout back to `from`. */
  migrateBack?(from: string, state: Uint8Array, ctx: Context): Awaitable<Bytes>;
}

/** The plugin itself, unchanged: gives editors the types of hooks and of `this`. */
export function definePlugin<P extends Plugin>(plugin: P & ThisType<P>): P;

/** This SDK's version. */
export const version: string;
