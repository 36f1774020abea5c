// A plugin without any hook, in JavaScript. Its one action answers with the value of `color` in its configuration.
export default { actions: { color: (_, ctx) => ctx.config.color } };
