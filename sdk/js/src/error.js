/** An error that a plugin answers deliberately, or that the host answered. */
export class PluginError extends Error {
  constructor(code, message, { recoverable = false, data, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = String(code);
    this.recoverable = recoverable === true;
    this.data = data;
  }

  get name() {
    return "PluginError";
  }
}
