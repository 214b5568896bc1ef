/** @file Transfer between networks: heat maps of surrogates and targets, and what the kind of
 *  surrogate and of target does. */

import { counted } from "../../core/units.js";
import type {
  Kinship,
  OverallEffects,
  StudyRecord,
  TransferEffects,
  TransferMatrix,
} from "../../schema/study/record.js";
import { heatKey, heatMapPlot } from "../plots/heat-map.js";
import type { KeyEntry } from "../plots/key.js";
import { type StripDot, stripsPlot } from "../plots/strips.js";
import { SERIES } from "../plots/svg.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, type Figure, folded, foldedTable, moreFigures, panels, slug } from "./figure.js";
import { distinct } from "./names.js";
import * as words from "./words.js";

/** The sign of each kinship in a cell. Other architectures are what black-box claims are about. */
const SIGNS: Readonly<Record<Kinship, string>> = { same: "●", shared: "◐", "same-arch": "○", "cross-arch": "" };

const KINDS = [
  { head: "asymmetry", field: "asymmetry", about: "dynamic to static minus static to dynamic" },
  { head: "surrogate effect", field: "surrogate", about: "dynamic minus static surrogate, static target" },
  { head: "target effect", field: "target", about: "static minus dynamic target, static surrogate" },
] as const;
type Kind = (typeof KINDS)[number];

type Effects = Pick<OverallEffects, "attack" | "objective" | "radius" | Kind["field"]>;

/** The effects at the primary radius, of blocks and over all blocks. */
function primaryEffects(record: StudyRecord): { readonly blocks: Effects[]; readonly overall: Effects[] } {
  const { effects, overall } = record.questions.transfer;
  const isPrimary = ({ radius }: Effects): boolean => words.isPrimary(record, radius);
  return { blocks: effects.filter(isPrimary), overall: overall.filter(isPrimary) };
}

/** One strip of blocks for each of the three effects, at the primary radius. */
export const effectFigures = (record: StudyRecord, document: Document): Figure[] =>
  KINDS.flatMap((kind) => effectFigure(kind, primaryEffects(record), document));

const objectiveOf = ({ attack, objective }: Effects): string => `${attack}, ${objective}`;

const SHOWN: readonly KeyEntry[] = [
  { name: "block", colour: SERIES[0], dash: "none", symbol: "circle" },
  { name: "all blocks", colour: SERIES[1], dash: "none", symbol: "diamond" },
];

function effectFigure(
  { head, field, about }: Kind,
  { blocks, overall }: ReturnType<typeof primaryEffects>,
  document: Document,
): Figure[] {
  const rows = [...new Set(blocks.map(objectiveOf))];
  const dotsOf = (effects: readonly Effects[], series: number): StripDot[] =>
    effects.flatMap((e) => (e[field] === null ? [] : [{ row: rows.indexOf(objectiveOf(e)), series, ...e[field] }]));
  const dots = [...dotsOf(blocks, 0), ...dotsOf(overall, 1)];
  if (dots.length === 0) return [];
  const options = {
    label: `The ${head} of each attack: ${about}. One dot per block and one over all blocks, with 95 % intervals.`,
    ...{ rows, dots, series: SHOWN },
    small: true,
    x: { label: "points of success", tickFormat: (value: number) => words.tick(value, "share") },
  };
  return [
    {
      id: slug("transfer", head),
      title: `${head}: ${about}`,
      plot: stripsPlot(options, document),
      key: SHOWN,
      caption:
        "Differences of transfer success at the primary radius, by attack and the goal on the dynamic surrogate. The interval of a block is that of its samples. The interval over all blocks is that of t over blocks.",
    },
  ];
}

/** One heat map per data set, attack and radius. */
export const mapFigures = (record: StudyRecord, document: Document): Figure[] =>
  record.questions.transfer.matrices.map((matrix) => mapFigure(matrix, document));

const nameOf = ({ data, attack, radius }: TransferMatrix): string => `${data}, ${attack}, ${words.radius(radius)}`;

function mapFigure(matrix: TransferMatrix, document: Document): Figure {
  const { surrogates, targets, success, kinship, eligible } = matrix;
  const options = {
    label: `Transfer success of ${nameOf(matrix)}: surrogates in rows, targets in columns.`,
    ...{ rows: distinct(surrogates), columns: distinct(targets) },
    cells: success.flatMap((row, i) =>
      row.map((rate, j) => ({ row: i, column: j, value: rate?.value ?? null, sign: SIGNS[kinship[i][j]] })),
    ),
    axes: { rows: "surrogate", columns: "target" },
  };
  return {
    id: slug("transfer", matrix.data, matrix.attack, words.radius(matrix.radius)),
    title: nameOf(matrix),
    plot: heatMapPlot(options, document),
    key: [],
    caption: `Success on the target, percent of ${eligible} eligible samples. ${SIGN_WORDS}`,
  };
}

const SIGN_WORDS =
  "● the target itself, ◐ shared weights, ○ same architecture and another seed, no sign: another architecture. Names leave out what all have in common.";

function mapPart(record: StudyRecord, document: Document): Html {
  const { matrices } = record.questions.transfer;
  if (matrices.length === 0) return empty("No matrix of surrogates and targets was measured.");
  const drawn = mapFigures(record, document).map((figure, i) => ({ figure, matrix: matrices[i] }));
  const one = ({ figure, matrix }: (typeof drawn)[number]): Html => html`<h3>${figure.title ?? ""}</h3>
<figure>${figure.plot}<figcaption>${figure.caption}</figcaption></figure>${folded("The numbers with their intervals", matrixTable(matrix))}`;
  const main = drawn.filter(({ matrix }) => matrix === mainOf(record, matrix.data));
  const other = drawn.filter(({ matrix }) => matrix !== mainOf(record, matrix.data));
  return html`${heatKey()}${main.map(one)}${other.length === 0 ? NOTHING : moreFigures(`Other attacks and radii: ${counted(other.length, "heat map")}`, html`${other.map(one)}`)}`;
}

/** The heat map of a data set that is open: the first at the primary radius, else the first. */
function mainOf(record: StudyRecord, data: string): TransferMatrix | undefined {
  const own = record.questions.transfer.matrices.filter((matrix) => matrix.data === data);
  return own.find(({ radius }) => words.isPrimary(record, radius)) ?? own[0];
}

function matrixTable(matrix: TransferMatrix): Html {
  const rows = matrix.success.map((rates, i) => ({ name: matrix.surrogates[i], rates }));
  type Row = (typeof rows)[number];
  const columns: Column<Row>[] = [
    { head: "surrogate \\ target", cell: ({ name }) => words.unbroken(name) },
    ...matrix.targets.map((target, j) => ({
      head: target,
      cell: ({ rates }: Row) => (rates[j] === null ? words.DASH : write.rate(rates[j])),
      shade: ({ rates }: Row) => 1 - (rates[j]?.value ?? 0),
    })),
  ];
  return table(`${nameOf(matrix)}: success with 95 % intervals.`, columns, rows);
}

const effectColumns = <T extends Effects>(): Column<T>[] => [
  { head: "goal on the dynamic surrogate", align: "left", cell: (e) => e.objective },
  { head: "radius", cell: (e) => words.radius(e.radius) },
  ...KINDS.map(({ head, field }) => ({ head, cell: (e: T) => words.effect(e[field], "share") })),
];

const OVERALL: readonly Column<OverallEffects>[] = [
  { head: "attack", cell: (e) => e.attack },
  ...effectColumns<OverallEffects>(),
  { head: "blocks", cell: (e) => e.blocks },
];

const COLUMNS: readonly Column<TransferEffects>[] = [
  { head: "block", cell: (e) => words.unbroken(e.block) },
  { head: "attack", align: "left", cell: (e) => e.attack },
  ...effectColumns<TransferEffects>(),
];

export function transferSection(record: StudyRecord, document: Document): Section {
  const { effects, overall, matrices } = record.questions.transfer;
  const found = effects.length + matrices.length > 0;
  const body = html`${panels(effectFigures(record, document))}${foldedTable("Transfer effects over all blocks, with 95 % intervals of t over blocks.", OVERALL, overall)}${foldedTable("Transfer effects of each block, with 95 % intervals of its samples. Their spread between blocks is what the interval of the verdict comes from.", COLUMNS, effects)}${mapPart(record, document)}`;
  return {
    id: "transfer",
    title: "Transfer between networks (C1)",
    body: found ? body : empty(words.whyEmpty(record, "C1", ["static", "joint"])),
  };
}
