/** @file Everything that is needed to run the audit again. */

import { showShape } from "../../core/shape.js";
import { counted, showCount } from "../../core/units.js";
import type { AttackRecord, AuditRecord } from "../../schema/audit-record.js";
import type { BatchMemory } from "../../schema/batch.js";
import type { Made } from "../../schema/made.js";
import { type Policy, showGateThreshold, showThreshold } from "../../schema/policy.js";
import { type Reading, readingLines } from "../../schema/reading.js";
import { showUnits } from "../../schema/units.js";
import * as write from "../shared/format.js";
import { type Html, type HtmlContent, html } from "../shared/html.js";
import { batchWords } from "../shared/memory.js";
import { type Column, table } from "../shared/table.js";

export type Fact = readonly [term: string, meaning: HtmlContent];

export const list = (facts: readonly Fact[]): Html =>
  html`<dl class="facts">${facts.map(([term, meaning]) => html`<dt>${term}</dt><dd>${meaning}</dd>`)}</dl>`;

const RULES = {
  "max-softmax": "stop at the first exit whose largest softmax probability reaches its threshold",
  entropy: "stop at the first exit whose softmax entropy is at most its threshold",
  margin: "stop at the first exit whose two largest softmax probabilities differ by at least its threshold",
  patience: "stop as soon as that many exits in a row agree",
} as const satisfies Record<AuditRecord["clean"]["routed"]["rule"], string>;

const FALLBACKS = {
  final: "the final exit answers",
  "most-confident": "the most confident of all exits answers",
} as const satisfies Record<AuditRecord["clean"]["routed"]["fallback"], string>;

/** The model, the data and the policy of the audit. */
export function setup({ model, data, clean, tool, made, memory, seconds }: AuditRecord): Html {
  const { rule, thresholds, fallback, temperatures } = clean.routed;
  const policy: readonly Fact[] = [
    ["exit rule", `${rule}: ${RULES[rule]}`],
    [
      "thresholds",
      `${thresholds.map((t) => showThreshold(rule, t, 6)).join(", ")}${data.validation ? `, chosen on ${data.validation.name} (${write.samples(data.validation.samples)}), none of them in the results of this report` : ", given in advance"}`,
    ],
    ...(temperatures ? [["temperatures", temperatures.map((t) => Number(t.toPrecision(4))).join(", ")] as Fact] : []),
    ["if none fires", `${fallback}: ${FALLBACKS[fallback]}`],
  ];
  return list([
    [
      "model",
      `${model.name}: ${showCount(model.parameters)} parameters, input ${showShape(model.input)}, ${showUnits(model)}`,
    ],
    ...readingFacts(model),
    ["data", `${data.name}, ${write.samples(data.samples)}`],
    ["seed", data.seed],
    ...(model.exits.length > 1 ? policy : []),
    ...gateFacts(clean.routed),
    ["engine", engineWords(tool, made)],
    ...batchFacts(memory),
    ["time", write.duration(seconds)],
    ...runFacts(made, model.sha256),
    ...machineFacts(made),
  ]);
}

/** The run behind the record, and the file of the model. */
export function runFacts(made: Made | undefined, sha256: string | undefined): Fact[] {
  const digest: Fact[] = sha256 === undefined ? [] : [["SHA-256 of the model", html`<code>${sha256}</code>`]];
  if (made === undefined) return digest;
  const { date, command } = made;
  return [
    ...digest,
    ["date", `${date.slice(0, 16).replace("T", " ")} UTC`],
    ...(command === undefined ? [] : [["command", commandLine(command)] as Fact]),
  ];
}

/** The processor of the machine of a run. */
export const machineFacts = (made: Made | undefined): Fact[] =>
  made === undefined ? [] : [["machine", `${made.machine.cpu}, ${counted(made.machine.cores, "core")}`]];

/** The versions of what ran. */
export const engineWords = ({ name, version }: AuditRecord["tool"], made: Made | undefined): string =>
  `${name} ${version}${made ? `, ${made.machine.engine}, ${made.machine.runtime}` : ""}`;

/** A command whose options are not broken at their hyphens. Long words, such as paths, may be. */
const commandLine = (command: string): Html =>
  html`<code>${command.split(" ").map((word) => html`${word.length > LONGEST ? word : html`<span class="figure-text">${word}</span>`} `)}</code>`;
const LONGEST = 24;

/** The rule of the gates, if the policy moves them. */
export const gateFacts = ({ gates }: Pick<Policy, "gates">): Fact[] =>
  gates
    ? [["gates", `open from these scores on: ${gates.thresholds.map((t) => showGateThreshold(t)).join(", ")}`]]
    : [];

/** How the file was read. */
export const readingFacts = (model: Reading): Fact[] => readingLines(model).map((line): Fact => ["on reading", line]);

/** The batch and its memory. Records of earlier releases lack them. */
export const batchFacts = (memory: BatchMemory | undefined, of = ""): Fact[] =>
  memory === undefined ? [] : [["batch", `${batchWords(memory)}${of}`]];

/** The parameters that define each attack. */
export const attackParameters = (attacks: readonly AttackRecord[]): Html =>
  table(
    "The parameters of each attack, its number of gradients of single samples, and its time. The same values in an attack file give the same attacks.",
    PARAMETER_COLUMNS,
    attacks,
  );

const PARAMETER_COLUMNS: readonly Column<AttackRecord>[] = [
  { head: "attack", cell: (a) => a.name },
  { head: "goal", align: "left", cell: (a) => a.goal },
  { head: "method", align: "left", cell: (a) => a.method },
  { head: "budget", align: "left", cell: (a) => write.budget(a.norm, a.radius) },
  {
    head: "parameters",
    align: "left",
    cell: (a) =>
      html`<div class="reason">${Object.entries(a.parameters).map(
        ([key, value], i) =>
          html`${i === 0 ? "" : ", "}<span class="figure-text">${key} = ${showValue(a.norm, key, value)}</span>`,
      )}</div>`,
  },
  { head: "gradients", cell: (a) => write.count(a.gradientEvaluations) },
  { head: "time", cell: (a) => write.duration(a.seconds) },
];

/** Parameters in pixel units, which are shown as a radius is. */
const PIXEL_UNITS: ReadonlySet<string> = new Set(["stepSize"]);

/** The value of a parameter of an attack: pixel units as a radius, numbers to 6 digits. */
export function showValue(norm: write.Norm, key: string, value: number | string | boolean): string {
  if (typeof value !== "number") return String(value);
  return PIXEL_UNITS.has(key) ? write.radius(norm, value) : String(Number(value.toPrecision(6)));
}
