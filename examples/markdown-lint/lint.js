// Linting, by the rules of markdownlint.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

import { applyFixes } from "markdownlint";
import { lint } from "markdownlint/sync";
import { PluginError } from "midplane";

/** What a configuration may name beside rules. */
const SETTINGS = ["default"];
const RULES = readRules();

/** The rules: `[{name, alias, looksFor}]`. */
export function known() {
  return RULES;
}

/** A choice of rules, if it names only rules that there are. Throws `unknown_rule` with those that there are not. */
export function checked(rules = {}) {
  const names = new Set([...SETTINGS, ...RULES.flatMap(({ name, alias }) => [name, alias])].map((name) => name.toLowerCase()));
  const unknown = Object.keys(rules).filter((name) => !names.has(name.toLowerCase()));
  if (unknown.length > 0) {
    const message = `there is no rule ${unknown.join(", ")}; the action \`rules\` lists them`;
    throw new PluginError("unknown_rule", message, { data: { unknown } });
  }
  return rules;
}

/** What is wrong with a text, by line: `[{line, column?, rule, alias, message, detail?, fixable}]`. */
export function findings(markdown, rules) {
  const found = linted(markdown, rules).map((one) => ({
    line: one.lineNumber,
    column: one.errorRange?.[0],
    rule: one.ruleNames[0],
    alias: one.ruleNames[1],
    message: one.ruleDescription,
    detail: one.errorDetail ?? undefined,
    fixable: Boolean(one.fixInfo),
  }));
  return found.sort((one, other) => one.line - other.line || one.rule.localeCompare(other.rule));
}

/** The text with everything mended that the rules know how to. */
export function mended(markdown, rules) {
  return applyFixes(markdown, linted(markdown, rules));
}

function linted(markdown, rules) {
  return lint({ strings: { text: markdown }, config: { default: true, ...rules } }).text;
}

/** markdownlint describes its rules in the schema of its configuration, which it publishes beside its code. */
function readRules() {
  const code = createRequire(import.meta.url).resolve("markdownlint");
  const schema = new URL("../schema/markdownlint-config-schema.json", pathToFileURL(code));
  const { properties } = JSON.parse(readFileSync(schema, "utf8"));
  return Object.entries(properties)
    .filter(([name]) => /^MD\d+$/.test(name))
    .map(([name, { description }]) => {
      const [, alias, looksFor] = /^MD\d+\/(\S+) : (.*?) : https?:/.exec(description) ?? [, "", description];
      return { name, alias, looksFor };
    });
}
