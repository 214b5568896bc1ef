/** @file The one model contract. A static network is a dynamic network with a single exit. Exits
 *  come from the `dynn.*` metadata of a file. Without metadata, every [n, classes] output is an
 *  exit, in order of cost. Attacks, measures and deployment treat both kinds alike. Source:
 *  docs/architecture.md. */
import { DynnError } from "../../core/errors.js";
import { type Dim, type Shape, showShape } from "../../core/shape.js";
import { GraphBuilder } from "../../graph/builder.js";
import { macsOf, nodeMacs, parameterCount } from "../../graph/cost.js";
import { findCuts } from "../../graph/cuts.js";
import { ancestors, type Graph, type ValueInfo, type ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { foldConstants } from "../../graph/passes/fold-constants.js";
import { simplify } from "../../graph/passes/simplify.js";
import { refuseBatchMixing } from "../../graph/per-sample.js";
import type { OnnxModel } from "../../onnx/model.js";
import { emitLogits } from "../../ops/output-logits.js";
import { readOutput } from "../../ops/probabilities.js";
import { opTable } from "../../ops/table.js";
import type { ModelMetadata } from "../../schema/metadata.js";
import type { Normalization } from "../../schema/normalization.js";
import { type Policy, thresholdCount } from "../../schema/policy.js";
import { type InputMaps, type InputOptions, inputOf, prependInput } from "./input.js";
import { readMetadata } from "./metadata.js";
import { findNormalization } from "./normalization.js";

/** One exit of a model. */
export interface Exit {
  /** The exit's name, which is the name of its output. */
  readonly name: string;
  /** The value that holds its logits, [n, classes]. */
  readonly logits: ValueName;
  /** The last value that separates the work for this exit and later exits from the rest of the
   * network. Undefined for the final exit, and where no single value separates them. */
  readonly cut: ValueName | undefined;
  /** MACs of one sample from the input up to and including this exit, earlier heads included. */
  readonly macs: number;
  /** `macs` divided by the MACs of the final exit. */
  readonly costFraction: number;
}

/** A block that an input can skip. Files that dynn reads do not have gates yet. */
export interface Gate {
  /** The gate's name. */
  readonly name: string;
  readonly value: ValueName;
}

/** A classifier with one exit or many, with the cost of each exit. */
export interface DynamicModel {
  /** The model's name in records and errors. */
  readonly name: string;
  /** The graph. Its input holds pixels, and it normalises them. Types are inferred with a named
   * batch. */
  readonly graph: Graph;
  /** The image input and its shape, e.g. ["n", 3, 32, 32]. */
  readonly input: { readonly name: ValueName; readonly shape: Shape };
  /** The exits by rising cost, the final one last. */
  readonly exits: readonly Exit[];
  /** Gates of blocks that can be skipped. */
  readonly gates: readonly Gate[];
  /** Number of classes. */
  readonly classes: number;
  /** Names of the classes. Undefined when the metadata do not have them. */
  readonly classNames: readonly string[] | undefined;
  /** The policy in the metadata. Undefined when the metadata do not have one. */
  readonly policy: Policy | undefined;
  /** Mean and standard deviation per channel that the graph applies to pixels first. Found in the
   * graph, or else read from its metadata (where they are folded into the first convolution). */
  readonly normalization: Normalization | undefined;
  /** Number of elements of all constants, without int64 constants. */
  readonly parameters: number;
  /** `metadata_props` of the file. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Nodes and constants that the file does not have. They give the logits of outputs that hold
   * probabilities. */
  readonly added?: AddedNodes;
  /** What dynn put in front of the graph of the file. */
  readonly prepended?: InputMaps;
  /** 255 when the file takes pixels in 0 to 255. The graph here takes pixels in [0,1] and
   * multiplies them. */
  readonly inputScale?: 255;
}

/** Nodes and constants that dynn adds behind those of a file. */
export type AddedNodes = Pick<Graph, "nodes" | "initializers">;

/** Options for reading a graph as a classifier. */
export interface ModelOptions extends InputOptions {
  readonly name?: string;
  /** Image size [h, w] for models that leave it open. */
  readonly imageSize?: readonly [number, number];
}

/** Builds the contract from an ONNX model in memory.
 * @throws DynnError 'model/input' when it does not take exactly one batch of images
 * @throws DynnError 'model/classifier' when the model does not have an output [n, classes]
 * @throws DynnError 'model/metadata' when its dynn.* metadata do not fit the graph */
export function dynamicModel(source: Pick<OnnxModel, "graph" | "metadata">, options: ModelOptions = {}): DynamicModel {
  const name = options.name ?? source.graph.name;
  const metadata = readMetadata(source.metadata, name);
  const asFile = foldConstants(openBatch(source.graph, name, options), opTable);
  const { maps, scale, normalization } = inputOf(asFile, metadata.normalization, options, name);
  const open = maps ? foldConstants(openBatch(prependInput(source.graph, maps), name, options), opTable) : asFile;
  const outputs = metadata.exits ? statedOutputs(open, metadata.exits, name) : classifierOutputs(open, name);
  const { graph: withLogits, named, added } = asLogits(open, outputs, source.graph);
  const graph = simplify(withLogits, opTable);
  const input = graph.inputs[0];
  const exits = makeExits(graph, metadata, named);
  const classes = classesOf(graph, exits, name);
  checkCounts(metadata, { exits: exits.length, classes, channels: input.shape?.[1] }, name);
  return {
    name,
    graph,
    input: { name: input.name, shape: input.shape ?? [] },
    exits,
    gates: [],
    classes,
    classNames: metadata.classes,
    policy: metadata.policy,
    // Reordered channels hide what is behind them.
    normalization: (maps?.reversed ? undefined : findNormalization(graph, opTable)) ?? normalization,
    parameters: parameterCount(graph),
    metadata: source.metadata,
    ...(added ? { added } : {}),
    ...(maps ? { prepended: maps } : {}),
    ...(scale ? { inputScale: scale } : {}),
  };
}

/** The graph with one float32 image input whose batch is the name "n".
 * @throws DynnError 'model/input' */
function openBatch(graph: Graph, name: string, { imageSize }: ModelOptions): Graph {
  const [input, ...more] = graph.inputs;
  const found = graph.inputs.map((i) => `${i.name} ${i.dtype}${showShape(i.shape)}`).join(", ") || "none";
  if (!input || more.length > 0 || input.dtype !== "float32" || input.shape?.length !== 4)
    throw new DynnError(
      "model/input",
      `${name}: inputs are ${found}; expected exactly one, float32 [n,channels,height,width]. Export the classifier with one image input.`,
      { inputs: graph.inputs.map((i) => i.name) },
    );
  const [, channels, height, width] = input.shape;
  const shape: Shape = ["n", channels ?? 1, sized(height, imageSize?.[0]), sized(width, imageSize?.[1])];
  const outputs = graph.outputs.map((o) => ({ ...o, shape: undefined }));
  refuseBatchMixing(graph, opTable);
  return inferShapes({ ...graph, inputs: [{ ...input, shape }], outputs, types: new Map() }, opTable);
}

const sized = (stated: Shape[number] | undefined, given: number | undefined): Shape[number] =>
  typeof stated === "string" && given !== undefined ? given : (stated ?? 1);

/** The logits that the metadata name, each an output of the graph.
 * @throws DynnError 'model/metadata' */
function statedOutputs(graph: Graph, exits: NonNullable<ModelMetadata["exits"]>, name: string): ValueName[] {
  const outputs = graph.outputs.map((o) => o.name);
  const stated = exits.map((e) => e.logits);
  const bad = stated.find((logits, i) => !outputs.includes(logits) || stated.indexOf(logits) !== i);
  if (bad === undefined) return stated;
  const what = outputs.includes(bad) ? "two exits name the same" : "is not an output of the graph";
  throw misfit(name, "dynn.exits", `logits "${bad}": ${what}`, `outputs are ${outputs.join(", ")}`);
}

/** @throws DynnError 'model/metadata' when the length of a list in the metadata does not fit the
 *  graph */
function checkCounts(
  { policy, classes, normalization }: ModelMetadata,
  graph: { readonly exits: number; readonly classes: number; readonly channels: Dim | undefined },
  name: string,
): void {
  const check = (key: string, what: string, got: number | undefined, expected: Dim | undefined) => {
    if (got !== undefined && typeof expected === "number" && got !== expected)
      throw misfit(name, key, `got ${got} ${what}`, `the graph has ${expected}`);
  };
  if (policy) {
    const wanted = thresholdCount(policy.rule, graph.exits);
    if (policy.thresholds.length !== wanted)
      throw misfit(
        name,
        "dynn.policy",
        `got ${policy.thresholds.length} thresholds`,
        `rule ${policy.rule} takes ${wanted}`,
      );
    check("dynn.policy", "temperatures", policy.temperatures?.length, graph.exits);
  }
  check("dynn.classes", "class names", classes?.length, graph.classes);
  check("dynn.normalization", "means", normalization?.mean.length, graph.channels);
  check("dynn.normalization", "deviations", normalization?.std.length, graph.channels);
}

const misfit = (name: string, key: string, wrong: string, expected: string): DynnError =>
  new DynnError(
    "model/metadata",
    `${name}: metadata "${key}" does not fit the graph: ${wrong}, ${expected}. Write the model again with dynn, or remove the key to read it by convention.`,
    { key },
  );

/** Outputs of shape [n, classes], in order of cost. The output with the largest cost is the final
 * classifier. Others are exits when they have the same number of classes, and else features or
 * attributes.
 * @throws DynnError 'model/classifier' */
function classifierOutputs(graph: Graph, name: string): ValueName[] {
  const costs = nodeMacs(graph, opTable);
  const candidates = graph.outputs
    .flatMap((o) => {
      const classes = o.dtype === "float32" ? classesAt(graph, o) : undefined;
      return classes === undefined ? [] : [{ ...o, classes, cost: macsOf(graph, [o.name], costs) }];
    })
    .sort((a, b) => a.cost - b.cost);
  const final = candidates.at(-1);
  if (final) return candidates.filter((o) => o.classes === final.classes).map((o) => o.name);
  const found = graph.outputs.map((o) => `${o.name} ${o.dtype}${showShape(o.shape)}`).join(", ");
  throw new DynnError(
    "model/classifier",
    `${name}: no output is a classifier's, float32 [n,classes]; outputs are ${found || "none"}. Export the logits, one row per image, with a dynamic batch.`,
    { outputs: graph.outputs.map((o) => o.name) },
  );
}

/** The number of classes that an output tells apart. Undefined when a classifier does not have such
 * an output. One column after a sigmoid tells two classes apart. */
function classesAt(graph: Graph, { name, shape = [] }: ValueInfo): number | undefined {
  const [batch, classes = 1, ...more] = shape;
  if (batch !== "n" || typeof classes !== "number" || more.length > 0) return undefined;
  if (classes > 1) return classes;
  const { kind } = readOutput(graph, name);
  return classes === 1 && (kind === "column" || kind === "share") ? 2 : undefined;
}

/** The graph with the logits of outputs, the outputs that they belong to, and the added nodes. */
interface AsLogits {
  readonly graph: Graph;
  /** For each output of the graph, the output of the file. */
  readonly named: readonly ValueName[];
  readonly added?: AddedNodes;
}

/** The graph with exactly these outputs. Logits replace an output that holds probabilities.
 * @param file the graph as the file has it, whose names stay free
 * @throws DynnError 'model/classifier' for an output with a probability for each label */
function asLogits(open: Graph, outputs: readonly ValueName[], file: Graph): AsLogits {
  const b = new GraphBuilder(open);
  for (const node of file.nodes) for (const name of node.outputs) b.reserve(name);
  const belongsTo = new Map<ValueName, ValueName>();
  for (const output of outputs) {
    const value = emitLogits(b, open, output, readOutput(open, output));
    // An output that holds the logits gives the exit its name, whatever other output comes from it.
    if (!belongsTo.has(value) || value === output) belongsTo.set(value, output);
  }
  const [names, named] = [[...belongsTo.keys()], [...belongsTo.values()]];
  const info = names.map((name) => ({ name, dtype: "float32" as const, shape: undefined }));
  if (b.nodeCount === open.nodes.length) return { graph: { ...open, outputs: info }, named };
  const built = b.build();
  const nodes = built.nodes.slice(open.nodes.length);
  const initializers = new Map([...built.initializers].filter(([name]) => !open.initializers.has(name)));
  return { graph: { ...built, outputs: info }, named, added: { nodes, initializers } };
}

/** The graph of the file that a model was read from, with the nodes that give its logits. */
export const withAdded = (file: Graph, { added }: Pick<DynamicModel, "added">): Graph =>
  added
    ? {
        ...file,
        nodes: [...file.nodes, ...added.nodes],
        initializers: new Map([...file.initializers, ...added.initializers]),
      }
    : file;

function makeExits(graph: Graph, metadata: ModelMetadata, named: readonly ValueName[]): Exit[] {
  const costs = nodeMacs(graph, opTable);
  const outputs = graph.outputs.map((o) => o.name);
  const full = macsOf(graph, outputs, costs);
  const cuts = cutsOf(graph, outputs.at(-1));
  return outputs.map((logits, i) => {
    const macs = macsOf(graph, outputs.slice(0, i + 1), costs);
    return {
      name: metadata.exits?.[i]?.name ?? named[i] ?? logits,
      logits,
      cut: i === outputs.length - 1 ? undefined : lastUsed(graph, logits, cuts),
      macs,
      costFraction: full > 0 ? macs / full : 1,
    };
  });
}

/** The values on all paths from the input to the final exit. */
const cutsOf = (graph: Graph, final: ValueName | undefined): readonly ValueName[] => {
  const input = graph.inputs[0]?.name;
  return input === undefined || final === undefined ? [] : findCuts(graph, input, final);
};

/** The last of the cuts that this exit depends on. */
function lastUsed(graph: Graph, exit: ValueName, cuts: readonly ValueName[]): ValueName | undefined {
  const used = new Set(ancestors(graph, [exit]).flatMap((node) => node.inputs));
  return cuts.findLast((cut) => used.has(cut));
}

/** @throws DynnError 'model/classifier' */
function classesOf(graph: Graph, exits: readonly Exit[], name: string): number {
  const counts = exits.map((e) => graph.types.get(e.logits)?.shape.at(-1));
  const [classes] = counts;
  if (typeof classes === "number" && counts.every((c) => c === classes)) return classes;
  throw new DynnError(
    "model/classifier",
    `${name}: exits give ${counts.join(", ")} classes, expected one number for all. Export exits of one classification task.`,
    { counts },
  );
}
