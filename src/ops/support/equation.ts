/** @file The equation of Einsum: which label each axis of each operand and of the result has. An ellipsis gets labels of its own,
 *  one per axis that it stands for, counted from the last. Spec: ONNX Einsum-12; NumPy's einsum has the same rules. */
import type { Dim, Shape } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { mismatch } from "../../graph/op.js";

export type Labels = readonly string[];

export interface Equation {
  readonly operands: readonly Labels[];
  readonly output: Labels;
  /** Length of each label; a length of 1 broadcasts against another. */
  readonly lengths: ReadonlyMap<string, Dim>;
}

const LETTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const TERM = /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/;

export const showTerm = (labels: Labels): string => labels.join("");

/** @throws DynnError 'shape/mismatch' when the equation is malformed, repeats a label within a term or does not fit the operands */
export function equationOf(node: Node, shapes: readonly Shape[]): Equation {
  const text = (attribute(node, "equation", "string") ?? "").replaceAll(" ", "");
  const [left, right, ...rest] = text.split("->") as [string, string | undefined, ...string[]];
  const terms = left.split(",");
  const refuse = (what: string) =>
    mismatch(node, `equation "${text}": ${what}. Export the model again.`, { equation: text });
  if (rest.length > 0 || ![...terms, right ?? ""].every((t) => TERM.test(t))) throw refuse("it is malformed");
  if (terms.length !== shapes.length) throw refuse(`it has ${terms.length} operands, the node ${shapes.length}`);
  const free = LETTERS.filter((letter) => !text.includes(letter));
  const hidden = Math.max(0, ...terms.map((t, i) => (t.includes("...") ? shapes[i].length - named(t).length : 0)));
  if (hidden > free.length) throw refuse("it has more axes than there are letters");
  const labelsOf = (term: string, count: number): Labels => {
    const labels = expand(term, count > 0 ? free.slice(0, hidden).slice(-count) : []);
    if (new Set(labels).size === labels.length) return labels;
    throw refuse(`the term "${term}" repeats a label, which dynn does not know`);
  };
  const operands = terms.map((t, i) => labelsOf(t, t.includes("...") ? shapes[i].length - named(t).length : 0));
  operands.forEach((labels, i) => {
    if (labels.length !== shapes[i].length) throw refuse(`operand ${i} has shape [${shapes[i]}]`);
  });
  const output = labelsOf(right ?? implicit(terms), hidden);
  const lengths = lengthsOf(operands, shapes, (label, lengths) =>
    refuse(`label "${label}" has lengths ${lengths.join(" and ")}`),
  );
  if (!output.every((label) => lengths.has(label))) throw refuse("its result has a label that no operand has");
  return { operands, output, lengths };
}

const named = (term: string): string => term.replace("...", "");

function expand(term: string, hidden: Labels): Labels {
  const [before, after] = term.split("...") as [string, string | undefined];
  return after === undefined ? [...before] : [...before, ...hidden, ...after];
}

/** The result when none is stated: an ellipsis, then every label that comes once, in alphabetical order. */
function implicit(terms: readonly string[]): string {
  const all = named(terms.join("").replaceAll("...", ""));
  const once = [...new Set(all)].filter((label) => all.indexOf(label) === all.lastIndexOf(label)).sort();
  return (terms.some((t) => t.includes("...")) ? "..." : "") + once.join("");
}

/** A number above 1 wins over a name, a name over 1. */
function lengthsOf(
  operands: readonly Labels[],
  shapes: readonly Shape[],
  clash: (label: string, lengths: readonly Dim[]) => Error,
): ReadonlyMap<string, Dim> {
  const lengths = new Map<string, Dim>();
  operands.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const [known, length] = [lengths.get(label) ?? 1, shapes[i][axis]];
      if (typeof known === "number" && known !== 1 && typeof length === "number" && length !== 1 && known !== length)
        throw clash(label, [known, length]);
      if (known === 1 || (typeof known === "string" && typeof length === "number" && length !== 1))
        lengths.set(label, length);
    });
  });
  return lengths;
}
