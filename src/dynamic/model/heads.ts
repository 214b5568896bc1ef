/** @file Which outputs of a plain file are exits: the final classifier, and outputs that stop
 *  before it. An output at the cost of another is a parallel head, not an exit. */
import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import { type Dim, showShape } from "../../core/shape.js";
import { macsOf, nodeMacs } from "../../graph/cost.js";
import { batchOf, type Graph, type Node, type ValueInfo, type ValueName } from "../../graph/graph.js";
import { readOutput } from "../../ops/probabilities.js";
import { opTable } from "../../ops/table.js";

/** Outputs that the caller names. */
export interface HeadOptions {
  /** Names of the outputs that are early exits. Left out: every output that stops before the
   * final one and has as many classes. */
  readonly exits?: readonly string[] | undefined;
  /** Name of the output that is the final classifier. Left out: the costliest. */
  readonly final?: string | undefined;
}

/** The exits of a file, by rising cost, and what was left out. */
export interface Heads {
  readonly outputs: readonly ValueName[];
  /** One sentence for each output that is left out. */
  readonly changes: readonly string[];
}

/** Two outputs are parallel where stopping at either saves less than this share of the work. */
const LEAST_SAVED = 0.01;

/** Names that exporters give to the classifier, and never to a head beside it. */
const MAIN = /^(logits?|output|out|final|prob(abilitie)?s?|classes|scores?|pred(iction)?s?)(_?0)?$/i;

interface Candidate {
  readonly name: ValueName;
  readonly classes: number;
  readonly cost: number;
}

/** The exits among the outputs of shape [n, classes].
 * @throws DynnError 'model/classifier' when there is none, or when it is not clear which of
 *   several heads is the classifier, 'exits/value' when a named output is not a classifier */
export function headsOf(graph: Graph, where: string, options: HeadOptions = {}): Heads {
  const work = workOf(graph);
  const all = candidatesOf(graph, work);
  if (all.length === 0) throw noClassifier(graph, where);
  checkNamed(all, where, options);
  const final = finalOf(all, work, where, options);
  const early = all.filter(({ name, classes }) => name !== final.name && classes === final.classes);
  if (options.exits)
    return { outputs: [...early.filter((o) => options.exits?.includes(o.name)), final].map(nameOf), changes: [] };
  const kept: Candidate[] = [];
  const changes: string[] = [];
  for (const one of early) {
    const beside = [...kept, final].find((other) => work.isParallel(one, other));
    if (beside === undefined && one.cost <= final.cost) kept.push(one);
    else if (beside === undefined)
      changes.push(`The output "${one.name}" costs more than "${final.name}". dynn leaves it out.`);
    else
      changes.push(
        `The output "${one.name}" costs as much as "${beside.name}", so it cannot be an early exit. dynn leaves it out.`,
      );
  }
  return { outputs: [...kept, final].map(nameOf), changes };
}

const nameOf = ({ name }: Candidate): ValueName => name;

/** MACs of one output or of several together. */
interface Work {
  readonly of: (...outputs: readonly ValueName[]) => number;
  readonly isParallel: (a: Candidate, b: Candidate) => boolean;
}

function workOf(graph: Graph): Work {
  let costs: ReadonlyMap<Node, number> | undefined;
  const of = (...outputs: readonly ValueName[]) => {
    costs ??= nodeMacs(graph, opTable);
    return macsOf(graph, outputs, costs);
  };
  // Each output has work of its own, and stopping at either output saves almost nothing.
  const isParallel = (a: Candidate, b: Candidate) => {
    // Counting both together takes time. Costs that are far apart need no count.
    if (Math.min(a.cost, b.cost) <= (1 - LEAST_SAVED) * Math.max(a.cost, b.cost)) return false;
    const both = of(a.name, b.name);
    const [beyondA, beyondB] = [both - a.cost, both - b.cost];
    return Math.min(beyondA, beyondB) > 0 && Math.max(beyondA, beyondB) < LEAST_SAVED * both;
  };
  return { of, isParallel };
}

const candidatesOf = (graph: Graph, work: Work): Candidate[] =>
  graph.outputs
    .flatMap((output) => {
      const classes = classesAt(graph, output);
      return classes === undefined ? [] : [{ name: output.name, classes, cost: work.of(output.name) }];
    })
    .sort((a, b) => a.cost - b.cost);

/** The number of classes that an output tells apart. Undefined when a classifier does not have such
 * an output. One column after a sigmoid tells two classes apart. */
function classesAt(graph: Graph, { name, dtype, shape = [] }: ValueInfo): number | undefined {
  const [batch, classes = 1, ...more] = shape;
  if (dtype !== "float32" || batch !== batchOf(graph) || typeof classes !== "number" || more.length > 0)
    return undefined;
  if (classes > 1) return classes;
  const { kind } = readOutput(graph, name);
  return classes === 1 && (kind === "column" || kind === "share") ? 2 : undefined;
}

/** The named one; else the costliest; else, of several that cost as much, the one whose name says
 * that it is the classifier.
 * @throws DynnError 'model/classifier' */
function finalOf(all: readonly Candidate[], work: Work, where: string, { exits, final }: HeadOptions): Candidate {
  const open = all.filter(({ name }) => !exits?.includes(name));
  const named = all.find(({ name }) => name === final);
  const costliest = present(open.at(-1) ?? all.at(-1), "an output");
  if (named) return named;
  const rivals = open.filter((one) => one !== costliest && work.isParallel(one, costliest));
  const clear = [...rivals, costliest].filter(({ name }) => MAIN.test(name));
  if (rivals.length === 0) return costliest;
  if (clear.length === 1) return clear[0];
  const names = [...rivals, costliest].map(({ name }) => name);
  throw new DynnError(
    "model/classifier",
    `${where}: outputs ${names.join(" and ")} cost as much as each other, and their names do not tell which is the classifier. Name it as the final exit.`,
    { parallel: names, options: ["final"] },
  );
}

/** @throws DynnError 'exits/value' */
function checkNamed(all: readonly Candidate[], where: string, { exits = [], final }: HeadOptions): void {
  const names = all.map(nameOf);
  const unknown = [...exits, ...(final === undefined ? [] : [final])].find((name) => !names.includes(name));
  const classes = (name: ValueName | undefined) => all.find((one) => one.name === name)?.classes;
  if (unknown !== undefined)
    throw new DynnError(
      "exits/value",
      `${where}: "${unknown}" is not a classifier output, expected one of ${names.join(", ")}. Name one of these.`,
      { unknown, outputs: names, options: ["exits", "final"] },
    );
  const other = final === undefined ? undefined : exits.find((name) => classes(name) !== classes(final));
  if (other !== undefined)
    throw new DynnError(
      "exits/value",
      `${where}: "${other}" has ${classes(other)} classes, expected ${classes(final)} as "${final}" has. Name exits of one classification task.`,
      { exit: other, final, options: ["exits", "final"] },
    );
}

function noClassifier(graph: Graph, where: string): DynnError {
  const found = graph.outputs
    .map((o) => `${o.name} ${o.dtype}${showShape(o.shape)} ${misfitOf(o, batchOf(graph))}`)
    .join(", ");
  return new DynnError(
    "model/classifier",
    `${where}: no output is a classifier's, float32 [n,classes]: ${found || "the model has no outputs"}. Export the logits, one row per image, with a dynamic batch.`,
    { outputs: graph.outputs.map((o) => o.name) },
  );
}

/** What keeps an output from being a classifier's: its type, its number of axes, or one axis. */
function misfitOf({ dtype, shape = [] }: ValueInfo, rows: Dim | undefined): string {
  const [batch, classes, ...more] = shape;
  if (dtype !== "float32") return `is not float32`;
  if (more.length > 0 || batch === undefined) return `has ${shape.length} axes`;
  if (batch !== rows) return `has a first axis that is not the batch`;
  return typeof classes === "string" ? `leaves the number of classes open` : "has one column that no sigmoid gives";
}

type StatedExits = readonly { readonly name: string; readonly logits: ValueName }[];

/** The exits that the file states, without those that the caller leaves out. The final exit ends
 * the list.
 * @throws DynnError 'exits/value' */
export function chosenExits(stated: StatedExits, where: string, { exits, final }: HeadOptions): StatedExits {
  const at = (name: string): number => {
    const found = stated.findIndex((e) => e.name === name || e.logits === name);
    if (found >= 0) return found;
    throw new DynnError(
      "exits/value",
      `${where}: the model does not have an exit "${name}", expected one of ${stated.map((e) => e.name).join(", ")}. Name one of these.`,
      { exit: name, options: ["exits", "final"] },
    );
  };
  const last = final === undefined ? stated.length - 1 : at(final);
  const named = exits?.map(at);
  return stated.filter((_, i) => i === last || (i < last && (named?.includes(i) ?? true)));
}
