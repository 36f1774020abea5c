import assert from "node:assert/strict";
import { test } from "node:test";

import { bench } from "midplane/testing";

import plugin from "../plugin.js";

const UNTIDY = "# One\n### Three\n\ntext with trailing spaces   \n\n\n\n* item\n+ other\n";
const short = (found) => found.map(({ line, rule }) => `${line} ${rule}`);
const parsed = (reply) => JSON.parse(new TextDecoder().decode(reply));

test("each fault is found on its line", async () => {
  const linter = await bench(plugin);
  const found = parsed(await linter.call("lint", UNTIDY));
  const expected = ["1 MD022", "2 MD001", "2 MD022", "4 MD009", "6 MD012", "7 MD012", "8 MD032", "9 MD004", "9 MD032"];
  assert.deepEqual(short(found), expected);
  assert.equal(found.find(({ rule }) => rule === "MD001").alias, "heading-increment");
  assert.equal(found.find(({ rule }) => rule === "MD009").fixable, true);
});

test("what is mended has only faults that nobody can mend", async () => {
  const linter = await bench(plugin);
  const mended = await linter.call("fix", UNTIDY);
  const left = parsed(await linter.call("lint", mended));
  assert.ok(left.every(({ fixable }) => !fixable), JSON.stringify(left));
  assert.match(new TextDecoder().decode(mended), /trailing spaces\n/);
});

test("the configuration chooses rules, and one that there is not is refused by name", async () => {
  const linter = await bench(plugin, { config: { rules: { MD012: false, "ul-style": false } } });
  assert.ok(!short(parsed(await linter.call("lint", UNTIDY))).some((line) => /MD012|MD004/.test(line)));
  const refused = linter.hook("onValidateConfig", { rules: { MD999: true } });
  await assert.rejects(refused, { code: "unknown_rule", data: { unknown: ["MD999"] } });
});

test("a real file is read, and none outside of the folder", async () => {
  const linter = await bench(plugin, { config: { root: "../samples" } });
  const found = await linter.call("lint_file", { path: "commonmark.md" });
  assert.ok(found.length > 0 && found.every(({ line, rule }) => line > 0 && /^MD\d+$/.test(rule)));
  assert.match(linter.logs[0].message, /^commonmark\.md: \d+ findings$/);
  await assert.rejects(linter.call("lint_file", { path: "../README.md" }), { code: "outside" });
  await assert.rejects(linter.call("lint_file", { path: "nothing.md" }), { code: "ENOENT" });
});

test("the rules are listed with what they look for", async () => {
  const rules = await (await bench(plugin)).call("rules");
  assert.ok(rules.length > 40);
  assert.deepEqual(Object.keys(rules[0]), ["name", "alias", "looksFor"]);
  assert.equal(rules[0].alias, "heading-increment");
});
