// What the host sees: actions and hooks. The work itself is in lint.js.

import { definePlugin } from "midplane";

import { checked, findings, known, mended } from "./lint.js";
import { readWithin } from "./reading.js";

export default definePlugin({
  settings: checked({}),
  root: ".",

  onValidateConfig({ rules }) {
    checked(rules);
  },

  onInit({ rules, root = "." }) {
    this.settings = checked(rules);
    this.root = root;
  },

  onConfigChanged(config) {
    this.onInit(config);
  },

  actions: {
    lint: {
      raw: true,
      run(markdown) {
        return JSON.stringify(findings(text(markdown), this.settings));
      },
    },

    async lint_file({ path }, ctx) {
      const found = findings(await readWithin(this.root, path), this.settings);
      ctx.info(`${path}: ${found.length} findings`);
      return found;
    },

    fix: {
      raw: true,
      run(markdown) {
        return mended(text(markdown), this.settings);
      },
    },

    rules: () => known(),
  },
});

function text(bytes) {
  return new TextDecoder().decode(bytes);
}
