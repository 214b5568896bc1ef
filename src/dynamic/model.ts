/** @file The one model contract: a static network is a dynamic one with a single exit.
 *  Read from `dynn.*` metadata where a file has them, else by convention: every [n, classes] output is an exit, in order of
 *  cost. Attacks, measures and deployment never ask which kind they got. Source: design.md section 4. */
import { DynnError } from "../core/errors.js";
import { showShape, type Shape } from "../core/shape.js";
import { GraphBuilder } from "../graph/builder.js";
import { macsOf, nodeMacs } from "../graph/cost.js";
import { findCuts } from "../graph/cuts.js";
import { ancestors, type Graph, producers, type ValueName } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import { simplify } from "../graph/passes/simplify.js";
import type { OnnxModel } from "../onnx/read.js";
import { opTable } from "../ops/table.js";
import { type ModelMetadata, readMetadata } from "./metadata.js";
import { findNormalization, type Normalization, prependNormalization } from "./normalization.js";
import type { Policy } from "./policy.js";

export interface Exit {
  readonly name: string;
  readonly logits: ValueName;
  /** The last value that separates all work this exit shares with later ones from the rest; undefined for the final exit
   *  and where no single value separates. */
  readonly cut: ValueName | undefined;
  /** MACs of one sample from the input up to and including this exit, earlier heads included. */
  readonly macs: number;
  readonly costFraction: number;
}

/** A block that an input may skip. None yet in files dynn reads; declared so that attacks and measures can ask. */
export interface Gate {
  readonly name: string;
  readonly value: ValueName;
}

export interface DynamicModel {
  readonly name: string;
  /** Pixels in, normalisation inside; types inferred with a named batch. */
  readonly graph: Graph;
  readonly input: { readonly name: ValueName; readonly shape: Shape };
  readonly exits: readonly Exit[];
  readonly gates: readonly Gate[];
  readonly classes: number;
  readonly classNames: readonly string[] | undefined;
  readonly policy: Policy | undefined;
  /** Mean and standard deviation per channel that the graph applies to pixels first, when they are known. */
  readonly normalization: Normalization | undefined;
  readonly parameters: number;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface ModelOptions {
  readonly name?: string;
  /** Image size [h, w] for models that leave it open. */
  readonly imageSize?: readonly [number, number];
  /** Prepend (x - mean) / std, for a model that expects normalised input. */
  readonly normalization?: Normalization;
}

/** Build the contract from a read ONNX model.
 * @throws DynnError 'model/input' when it does not take exactly one batch of images, 'model/classifier' when no output is
 *         [n, classes], 'model/metadata' when its dynn.* metadata do not fit the graph */
export function dynamicModel(source: OnnxModel, options: ModelOptions = {}): DynamicModel {
  const name = options.name ?? source.graph.name;
  const metadata = readMetadata(source.metadata, name);
  const open = openBatch(withNormalization(source.graph, options), name, options);
  const logits = metadata.exits ? metadata.exits.map((e) => e.logits) : classifierOutputs(open, name);
  const graph = simplify(asLogits(open, logits), opTable);
  const input = graph.inputs[0] as Graph["inputs"][number];
  const exits = makeExits(graph, metadata);
  return {
    name,
    graph,
    input: { name: input.name, shape: input.shape ?? [] },
    exits,
    gates: [],
    classes: classesOf(graph, exits, name),
    classNames: metadata.classes,
    policy: metadata.policy,
    normalization: metadata.normalization ?? options.normalization ?? findNormalization(graph, opTable),
    parameters: [...graph.initializers.values()].reduce((sum, t) => sum + (t.dtype === "int64" ? 0 : t.data.length), 0),
    metadata: source.metadata,
  };
}

const withNormalization = (graph: Graph, { normalization }: ModelOptions): Graph => (normalization ? prependNormalization(graph, normalization) : graph);

/** The graph with one float32 image input whose batch is the name "n".
 * @throws DynnError 'model/input' */
function openBatch(graph: Graph, name: string, { imageSize }: ModelOptions): Graph {
  const [input, ...more] = graph.inputs;
  const found = graph.inputs.map((i) => `${i.name} ${i.dtype}${showShape(i.shape)}`).join(", ") || "none";
  if (!input || more.length > 0 || input.dtype !== "float32" || input.shape?.length !== 4)
    throw new DynnError("model/input", `${name}: inputs are ${found}; expected exactly one, float32 [n,channels,height,width]. Export the classifier with one image input.`, { inputs: graph.inputs.map((i) => i.name) });
  const [, channels, height, width] = input.shape;
  const shape: Shape = ["n", channels ?? 1, sized(height, imageSize?.[0]), sized(width, imageSize?.[1])];
  const outputs = graph.outputs.map((o) => ({ ...o, shape: undefined }));
  return inferShapes({ ...graph, inputs: [{ ...input, shape }], outputs, types: new Map() }, opTable);
}

const sized = (stated: Shape[number] | undefined, given: number | undefined): Shape[number] => (typeof stated === "string" && given !== undefined ? given : (stated ?? 1));

/** Outputs of shape [n, classes] with the commonest number of classes, in order of cost.
 * @throws DynnError 'model/classifier' */
function classifierOutputs(graph: Graph, name: string): ValueName[] {
  const candidates = graph.outputs.filter((o) => o.dtype === "float32" && o.shape?.length === 2 && o.shape[0] === "n" && typeof o.shape[1] === "number" && o.shape[1] >= 2);
  const last = candidates.at(-1);
  if (!last) {
    const found = graph.outputs.map((o) => `${o.name} ${o.dtype}${showShape(o.shape)}`).join(", ");
    throw new DynnError("model/classifier", `${name}: no output is a classifier's, float32 [n,classes]; outputs are ${found || "none"}. Export the logits, one row per image, with a dynamic batch.`, { outputs: graph.outputs.map((o) => o.name) });
  }
  const exits = candidates.filter((o) => o.shape?.[1] === last.shape?.[1]).map((o) => o.name);
  const costs = nodeMacs(graph, opTable);
  return byCost(exits, (e) => macsOf(graph, [e], costs));
}

const byCost = <T>(items: readonly T[], cost: (item: T) => number): T[] => items.map((item) => ({ item, cost: cost(item) })).sort((a, b) => a.cost - b.cost).map((x) => x.item);

/** The graph with exactly these outputs; an output that is a softmax gives way to its logits. */
function asLogits(graph: Graph, outputs: readonly ValueName[]): Graph {
  const makers = producers(graph);
  const b = new GraphBuilder(graph);
  b.clearOutputs();
  for (const name of outputs) {
    const maker = makers.get(name);
    const at = maker && opTable.get(maker).logitsInput;
    const logits = (at === undefined ? undefined : maker?.inputs[at]) ?? name;
    b.output(logits, "float32", undefined);
  }
  return b.build();
}

function makeExits(graph: Graph, metadata: ModelMetadata): Exit[] {
  const costs = nodeMacs(graph, opTable);
  const outputs = graph.outputs.map((o) => o.name);
  const full = macsOf(graph, outputs, costs);
  return outputs.map((logits, i) => {
    const macs = macsOf(graph, outputs.slice(0, i + 1), costs);
    return { name: metadata.exits?.[i]?.name ?? logits, logits, cut: cutOf(graph, outputs, i), macs, costFraction: full > 0 ? macs / full : 1 };
  });
}

/** The last value on all paths to the final exit that this exit is computed from. */
function cutOf(graph: Graph, outputs: readonly ValueName[], exit: number): ValueName | undefined {
  const [input, final] = [graph.inputs[0]?.name, outputs.at(-1)];
  if (input === undefined || final === undefined || exit === outputs.length - 1) return undefined;
  const used = new Set(ancestors(graph, [outputs[exit] as ValueName]).flatMap((node) => node.inputs));
  return findCuts(graph, input, final).findLast((cut) => used.has(cut));
}

/** @throws DynnError 'model/classifier' */
function classesOf(graph: Graph, exits: readonly Exit[], name: string): number {
  const counts = exits.map((e) => graph.types.get(e.logits)?.shape.at(-1));
  const [classes] = counts;
  if (typeof classes === "number" && counts.every((c) => c === classes)) return classes;
  throw new DynnError("model/classifier", `${name}: exits give ${counts.join(", ")} classes, expected one number for all. Export exits of one classification task.`, { counts });
}
