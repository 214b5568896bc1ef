/** @file The ONNX project's own node tests (test/fixtures/onnx-node/make.py): one operator, its inputs and what must come out. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { DType } from "../../src/core/dtype.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { readModel } from "../../src/onnx/read.js";
import { opTable } from "../../src/ops/table.js";
import type { Tensors } from "../../src/runtime/backend.js";

export interface Case {
  readonly name: string;
  /** A model in base64. */
  readonly model: string;
  readonly inputs: readonly Array_[];
  readonly outputs: readonly Array_[];
}
interface Array_ {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Infinities and NaN as NumPy writes them. */
  readonly data: readonly (number | string)[];
}

const file = new URL("../fixtures/onnx-node/cases.json.gz", import.meta.url);
export const CASES = JSON.parse(gunzipSync(readFileSync(file)).toString()) as readonly Case[];

const value = (x: number | string): number => (typeof x === "number" ? x : Number(x.replace("inf", "Infinity")));
/** NumPy has no bfloat16: the cases hold its bits. */
const tensor = (a: Array_, dtype: DType = a.dtype): Tensor =>
  dtype === "bfloat16"
    ? { dtype, dims: a.dims, data: Uint16Array.from(a.data.map(value)) }
    : fromNumbers(a.dtype, a.dims, a.data.map(value));

const agrees = (got: number, want: number): boolean =>
  Object.is(got, want) || got === want || Math.abs(got - want) <= 1e-4 * Math.max(1, Math.abs(want));

const bitsOf = (t: Tensor): Tensor => (t.dtype === "bfloat16" ? { ...t, dtype: "uint16" } : t);

/** What is wrong with an output, or undefined. */
function differenceIn(got: Tensor, want: Array_, shape: readonly unknown[]): string | undefined {
  if (got.dtype !== want.dtype) return `type ${got.dtype}, expected ${want.dtype}`;
  if (got.dims.join() !== want.dims.join()) return `shape [${got.dims}], expected [${want.dims}]`;
  if (shape.length !== want.dims.length || shape.some((d, i) => typeof d === "number" && d !== want.dims[i]))
    return `shape rule gives [${shape}], expected [${want.dims}]`;
  const numbers = toNumbers(got);
  const at = want.data.findIndex((v, i) => !agrees(numbers[i], value(v)));
  return at < 0 ? undefined : `element ${at} is ${numbers[at]}, expected ${want.data[at]}`;
}

/** Axes, shapes and the like are constants in exports; the cases feed them. */
const isConstant = (graph: Graph, i: number): boolean => i > 0 && graph.inputs[i]?.dtype === "int64";

/** The case as dynn reads it: a graph with types inferred, and what to feed it.
 * @throws DynnError where dynn refuses it */
export function prepared({ model, inputs }: Case): { readonly graph: Graph; readonly feeds: Tensors } {
  const { graph } = readModel(Buffer.from(model, "base64"));
  const values = graph.inputs.map(({ name, dtype }, i) => [name, tensor(inputs[i], dtype)] as const);
  const typed = inferShapes(
    {
      ...graph,
      inputs: graph.inputs.filter((_, i) => !isConstant(graph, i)),
      initializers: new Map([...graph.initializers, ...values.filter((_, i) => isConstant(graph, i))]),
    },
    opTable,
  );
  return { graph: typed, feeds: Object.fromEntries(values.filter((_, i) => !isConstant(graph, i))) };
}

/** What is wrong with what a backend gave for a case, or undefined. */
export const difference = ({ outputs }: Case, graph: Graph, results: Tensors): string | undefined =>
  graph.outputs
    .map(({ name }, i) => differenceIn(bitsOf(results[name]), outputs[i], graph.types.get(name)?.shape ?? []))
    .find((found) => found !== undefined);
