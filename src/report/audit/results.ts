/** @file The results of an audit as one table for a paper: LaTeX, Markdown or CSV. One row for each
 *  clean answer, each attack, and the worst case over attacks. */
import type { AttackRecord, AuditRecord } from "../../schema/audit-record.js";
import type { Rate } from "../../schema/numbers.js";
import * as write from "../shared/format.js";
import { escapeLatex, tabular } from "../shared/latex.js";
import { isStatic } from "./words.js";
import { deviation, judgedAnswers, seeded } from "./worst-case.js";

/** The forms of the table. */
export const RESULT_FORMS = ["tex", "md", "csv"] as const;
/** A form of the table. */
export type ResultForm = (typeof RESULT_FORMS)[number];

/** How a table of results is written. */
export interface ResultsOptions {
  readonly form: ResultForm;
}

/** One row: an attack, or what stands for one. */
interface Row extends Partial<Pick<AttackRecord, "goal" | "method" | "norm" | "radius" | "eligible" | "seeds">> {
  readonly attack: string;
  readonly parameters?: AttackRecord["parameters"];
  readonly answer: string;
  readonly samples: number;
  readonly robust: Rate | undefined;
  readonly success?: Rate | undefined;
  readonly cost?: number | undefined;
}

/** The table of the results.
 * @returns text that ends with a line break. Rates of CSV are shares from 0 to 1, and radii are in
 *  pixel units; the other forms have percentages, and radii as people write them
 * @example
 * await writeFile("results.tex", resultsTable(record, { form: "tex" })); */
export const resultsTable = (record: AuditRecord, { form }: ResultsOptions): string => FORMS[form](record);

const FORMS: Readonly<Record<ResultForm, (record: AuditRecord) => string>> = { tex, md, csv };

const rowsOf = (record: AuditRecord): Row[] => [
  ...cleanRows(record),
  ...record.attacks.map(attackRow),
  ...worstRows(record),
];

function cleanRows(record: AuditRecord): Row[] {
  const { clean, model, data } = record;
  const last = model.exits.length - 1;
  const of = (answer: string, robust: Rate, cost?: number): Row => ({
    ...{ attack: "none (clean)", answer, samples: data.samples, robust, cost },
  });
  const final = of(model.exits[last].name, clean.accuracyIntervals[last]);
  if (isStatic(record)) return [final];
  const { accuracy, meanCostFraction } = clean.routed;
  return [of("routed", write.rateOf(accuracy, data.samples), meanCostFraction), final];
}

const attackRow = (attack: AttackRecord): Row => ({
  ...attack,
  attack: attack.name,
  robust: attack.nothingToAttack === undefined || attack.eligible > 0 ? attack.robustAccuracy : undefined,
  success: attack.eligible > 0 ? attack.successRate : undefined,
  cost: attack.routed.meanCostFraction,
});

const worstRows = (record: AuditRecord): Row[] =>
  (record.worstCase ?? []).flatMap((budget) =>
    judgedAnswers(record, budget).map(({ answer, robustAccuracy: robust }) => ({
      ...{ attack: "worst case", norm: budget.norm, radius: budget.radius, answer },
      ...{ samples: record.data.samples, robust },
    })),
  );

/** A parameter as the table shows it. */
const parameter = ({ parameters }: Row, name: string): string => String(parameters?.[name] ?? "");

const shown = (rate: Rate | undefined): [string, string] =>
  rate === undefined ? ["–", "–"] : [(100 * rate.value).toFixed(1), write.interval(rate)];

/** The columns of people. */
function cellsOf(row: Row, hasSeeds: boolean, hasCost: boolean): string[] {
  const { attack, norm, radius, answer, samples, robust, success, cost, seeds } = row;
  const spread = seeds?.robustAccuracy;
  const over = spread
    ? [`${(100 * spread.mean).toFixed(1)} ± ${deviation(spread)}`, write.interval({ ...spread, value: 0 })]
    : ["", ""];
  return [
    ...[attack, norm === undefined ? "" : write.NORM_NAMES[norm]],
    norm === undefined ? "" : typeof radius === "number" ? write.radius(norm, radius) : "no limit",
    ...[parameter(row, "steps"), parameter(row, "restarts"), answer, String(samples)],
    ...shown(robust),
    ...(success === undefined ? ["", ""] : shown(success)),
    ...(hasCost ? [cost === undefined ? "" : (100 * cost).toFixed(1)] : []),
    ...(hasSeeds ? over : []),
  ];
}

function people(record: AuditRecord): { readonly heads: string[]; readonly rows: string[][] } {
  const [first] = seeded(record);
  const hasCost = !isStatic(record);
  const heads = [
    ...["attack", "norm", "radius", "steps", "restarts", "judged", "n"],
    ...["robust accuracy, %", "95 % interval", "success, %", "95 % interval"],
    ...(hasCost ? ["mean cost, %"] : []),
    ...(first ? [`mean ± sd of ${first.seeds.seeds.length} seeds, %`, "95 % interval of the mean"] : []),
  ];
  return { heads, rows: rowsOf(record).map((row) => cellsOf(row, first !== undefined, hasCost)) };
}

/** What the rows are about, in one line. */
function about({ model, data, tool, made }: AuditRecord): string {
  const digest = model.sha256 === undefined ? "" : ` (sha256 ${model.sha256})`;
  const date = made === undefined ? "" : `, ${made.date.slice(0, 10)}`;
  return `${model.name}${digest} on ${data.name}, ${write.samples(data.samples)}, seed ${data.seed}; ${tool.name} ${tool.version}${date}. Robust accuracy: share of all n samples; success: share of the samples that the attack could win. 95 % Wilson intervals.`;
}

function tex(record: AuditRecord): string {
  const { heads, rows } = people(record);
  const columns = heads.map((head) => (["attack", "norm", "judged"].includes(head) ? "l" : "r")).join("");
  return [`% ${escapeLatex(about(record))}`, ...tabular(columns, heads, rows)].join("\n");
}

function md(record: AuditRecord): string {
  const { heads, rows } = people(record);
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return `${about(record).replaceAll("|", "\\|")}\n\n${line(heads)}${line(heads.map(() => "---"))}${rows.map(line).join("")}`;
}

const CSV_HEADS = [
  ...["attack", "goal", "method", "norm", "radius", "steps", "restarts", "answer", "samples", "eligible"],
  ...["robustAccuracy", "low", "high", "successRate", "successLow", "successHigh", "meanCostFraction"],
  ...["seeds", "seedsMean", "seedsDeviation", "seedsLow", "seedsHigh"],
];

/** Source: RFC 4180, with line ends of one character. */
function csv(record: AuditRecord): string {
  const cell = (value: string | number | null | undefined) => {
    const text = String(value ?? "");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const of = (rate: Rate | undefined) => [rate?.value, rate?.low, rate?.high];
  const lines = rowsOf(record).map((row) => {
    const { attack, goal, method, norm, radius, answer, samples, eligible, robust, success, cost, seeds } = row;
    const spread = seeds?.robustAccuracy;
    return [
      ...[attack, goal, method, norm, radius, parameter(row, "steps"), parameter(row, "restarts")],
      ...[answer, samples, eligible, ...of(robust), ...of(success), cost],
      ...[seeds?.seeds.length, spread?.mean, spread?.deviation, spread?.low, spread?.high],
    ];
  });
  return [CSV_HEADS, ...lines].map((cells) => `${cells.map(cell).join(",")}\n`).join("");
}
