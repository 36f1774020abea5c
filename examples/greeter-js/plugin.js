// A plugin in one file: no manifest, no build. Try `midplane run examples/greeter-js/plugin.js --call greeter-js/greet`.

let greeted = 0;

export default {
  info: { id: "greeter-js", version: "1.0.0", description: "Greets whoever asks." },

  /** {name?}: answers with a greeting. */
  greet(input) {
    greeted += 1;
    return `Hello, ${input?.name ?? "world"}!`;
  },

  onHealthCheck: () => ({ status: "healthy", details: { greeted } }),
};
