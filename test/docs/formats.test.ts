/** @file What the documents say of formats, codes and decisions is what the code does. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { catalogue } from "../../src/attacks/catalogue.js";
import { GOALS } from "../../src/attacks/goals/table.js";
import { METHODS } from "../../src/attacks/methods/table.js";
import { attackConfigSchema, configureAttack, parseAttackFile } from "../../src/attacks/spec.js";
import { ERROR_CODES } from "../../src/core/errors.js";
import { openModel } from "../../src/node/models.js";
import { parseStudyFile } from "../../src/node/studies/plan.js";
import { OPSETS } from "../../src/onnx/model.js";
import { auditRecordSchema } from "../../src/schema/audit-record.js";
import { gatedVictim } from "../support/gated-attacks.js";
import { blocksOf, docstrings, documents, ROOT } from "./documents.js";

/** What a test cannot go on without. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("it is absent");
  return value;
}

const documentAt = (path: string) => present(documents.find((d) => d.path === path));
const jsonBlocks = blocksOf("json");

/** Words in backticks, those of a dotted path apart: `exits[].macs` gives exits and macs. */
const namesIn = (text: string): Set<string> =>
  new Set([...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = ""]) => code.match(/\w+/g) ?? []));

test("every code block is in a language that a test runs or checks", () => {
  const known = ["sh", "bash", "ts", "json", "yaml", "text", "python", "bibtex"];
  const blocks = [...documents, ...docstrings].flatMap((d) => d.blocks);
  expect(blocks.filter((b) => !known.includes(b.language)).map((b) => b.at)).toEqual([]);
});

test.each(blocksOf("yaml"))("$at is YAML, and a study file where it asks questions", ({ text, at }) => {
  const read = parseYaml(text) as object;
  if ("questions" in read) expect(parseStudyFile(text, at).blocks.length).toBeGreaterThan(0);
  else expect(Object.keys(read).length).toBeGreaterThan(2);
});

/** What most programs begin with. */
const MAIN = ["load", "openDataset", "createExecutor", "audit", "convert", "calibrate", "train", "modelGradient"];

test.each(MAIN)("%s has an example in its comment, which programs.slow.test.ts runs", (name) => {
  const declared = new RegExp(`^ \\*/\nexport (?:async )?function ${name}\\b`, "m");
  const found = docstrings.flatMap(({ path, blocks }) => {
    const source = readFileSync(join(ROOT, path), "utf8");
    const at = declared.exec(source)?.index;
    if (at === undefined) return [];
    const comment = source.slice(source.lastIndexOf("/**", at), at);
    return comment.includes("@example\n") ? blocks.filter(({ text }) => text.includes(`${name}(`)) : [];
  });
  expect(found.map(({ language }) => language)).toEqual(["ts"]);
});

test("plain text blocks stand only in a document that is made from the code", () => {
  expect([...new Set(blocksOf("text").map((b) => b.document))]).toEqual(["docs/cli.md"]);
});

test("JSON blocks stand only where a test knows their format", () => {
  expect([...new Set(jsonBlocks.map((b) => b.document))].sort()).toEqual(["docs/attack-file.md", "docs/audit-json.md"]);
});

describe("the attack file", () => {
  const examples = jsonBlocks.filter((b) => b.document === "docs/attack-file.md");

  test.each(examples)("at $at is accepted for the bundled network, or for one with gates", async ({ at, text }) => {
    const model = await openModel("zoo:resnet20-joint");
    const target = text.includes('"gates"') ? gatedVictim() : { model, policy: present(model.policy) };
    const attacks = parseAttackFile(JSON.parse(text), at).map((config) => configureAttack(config, target));
    expect(attacks.length).toBeGreaterThan(0);
  });

  test("has every field explained", () => {
    const named = namesIn(documentAt("docs/attack-file.md").text);
    expect(Object.keys(attackConfigSchema.shape).filter((field) => !named.has(field))).toEqual([]);
  });

  test("has in docs/attacks.md every parameter of every method and goal", () => {
    const named = namesIn(documentAt("docs/attacks.md").text);
    const all = [...Object.values(METHODS), ...Object.values(GOALS)].flatMap((def) => Object.keys(def.parameters));
    expect(all.filter((name) => !named.has(name))).toEqual([]);
    expect(all.length).toBeGreaterThan(10);
  });

  test("states the default of every parameter in words or as a value", () => {
    const { methods, goals } = catalogue();
    const silent = [...methods, ...goals].flatMap(({ name, parameters }) =>
      parameters.filter((one) => one.default === "depends on the attack").map((one) => `${name}: ${one.name}`),
    );
    expect(silent).toEqual([]);
  });
});

describe("the audit record", () => {
  test("has an example that the schema accepts and that holds every field", () => {
    const [example, ...more] = jsonBlocks.filter((b) => b.document === "docs/audit-json.md");
    const record = auditRecordSchema.parse(JSON.parse(example?.text ?? ""));
    expect(more).toEqual([]);
    expect(record.attacks.length * record.curves.length).toBeGreaterThan(0);
  });

  test("has every field explained", () => {
    const named = namesIn(documentAt("docs/audit-json.md").text);
    const fields = keysOf(z.toJSONSchema(auditRecordSchema));
    expect(fields.filter((field) => !named.has(field))).toEqual([]);
    expect(fields.length).toBeGreaterThan(40);
  });
});

/** Names of all properties of a JSON Schema, at any depth. */
function keysOf(schema: unknown): string[] {
  if (schema === null || typeof schema !== "object") return [];
  const { properties = {}, ...rest } = schema as { properties?: Readonly<Record<string, unknown>> };
  return [...Object.keys(properties), ...[...Object.values(properties), ...Object.values(rest)].flatMap(keysOf)];
}

test("every error code is thrown somewhere", () => {
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".ts") && f !== join("core", "errors.ts"))
    .map((f) => readFileSync(join(ROOT, "src", f), "utf8"))
    .join("\n");
  expect(Object.keys(ERROR_CODES).filter((code) => !sources.includes(`"${code}"`))).toEqual([]);
});

test("decisions are numbered from 1 without a gap, and their titles carry the number", () => {
  const decisions = documents.filter((d) => d.path.startsWith("docs/decisions/"));
  decisions.sort((a, b) => (a.path < b.path ? -1 : 1));
  expect(decisions.map((d) => Number(/(\d{4})-/.exec(d.path)?.[1]))).toEqual(decisions.map((_, i) => i + 1));
  for (const [i, d] of decisions.entries()) {
    expect(d.text).toMatch(new RegExp(`^# ${i + 1}\\. `));
    expect(d.text, `${d.path} names what was refused`).toContain("**Refused.**");
  }
});

test("every dependency has its line in the decision about libraries", () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    dependencies: Readonly<Record<string, string>>;
  };
  const { text } = documentAt("docs/decisions/0005-libraries.md");
  expect(Object.keys(dependencies).filter((name) => !text.includes(`| \`${name}\` `))).toEqual([]);
});

test("the badges and the citation say what the package says", () => {
  const { engines, license, homepage } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly engines: { readonly node: string };
    readonly license: string;
    readonly homepage: string;
  };
  const badge = (name: string) => readFileSync(join(ROOT, `docs/pictures/badges/${name}.svg`), "utf8");
  expect(badge("node")).toContain(`${engines.node.replace(">=", "")} or later`);
  expect(badge("licence")).toContain(license);
  expect(badge("onnx")).toContain(`opset ${OPSETS.oldest} to ${OPSETS.newest}`);
  const [bibtex] = blocksOf("bibtex");
  const cff = parseYaml(readFileSync(join(ROOT, "CITATION.cff"), "utf8")) as {
    readonly url: string;
    readonly license: string;
  };
  for (const text of [cff.url, license, homepage.replace("#readme", "")]) expect(bibtex?.text).toContain(text);
});
