/** @file The one model contract. A static network is a dynamic network without units that change
 *  its work. Exits and gates come from the `dynn.*` metadata of a file. Without metadata, every
 *  [n, classes] output is an exit, in order of cost. Attacks, measures and deployment treat all
 *  kinds alike. Source: docs/architecture.md. */
import { DynnError } from "../../core/errors.js";
import { type Dim, type Shape, showShape } from "../../core/shape.js";
import { parameterCount } from "../../graph/cost.js";
import { ancestors, type Graph, type ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { foldConstants } from "../../graph/passes/fold-constants.js";
import { refuseBatchMixing } from "../../graph/per-sample.js";
import type { OnnxModel } from "../../onnx/model.js";
import { opTable } from "../../ops/table.js";
import type { ModelMetadata } from "../../schema/metadata.js";
import type { Normalization } from "../../schema/normalization.js";
import { type Policy, thresholdCount } from "../../schema/policy.js";
import { adapt } from "../adapt/adapt.js";
import type { UncheckedBatch } from "../adapt/adapter.js";
import { checkGateNames, gateValues, type StatedGates, simplifyKeeping } from "./gates.js";
import { chosenExits, type HeadOptions, headsOf } from "./heads.js";
import { type InputMaps, type InputOptions, inputOf, prependInput } from "./input.js";
import { asLogits, withNodes } from "./logits.js";
import { readMetadata } from "./metadata.js";
import { findNormalization } from "./normalization.js";
import { quantizationOf } from "./quantization.js";
import { unitsOf } from "./read-units.js";
import type { Exit, Gate } from "./units.js";

export type { Exit, Gate, GateBit } from "./units.js";

/** A classifier with one exit or many, with the cost of each exit. */
export interface DynamicModel {
  /** The model's name in records and errors. */
  readonly name: string;
  /** The graph. Its input holds pixels, and it normalises them. Types are inferred with a named
   * batch. */
  readonly graph: Graph;
  /** The image input and its shape, e.g. ["n", 3, 32, 32]. The first axis is 1 where images run
   * one at a time. */
  readonly input: { readonly name: ValueName; readonly shape: Shape };
  /** The exits by rising cost, the final one last. */
  readonly exits: readonly Exit[];
  /** The gates of blocks that can be skipped, in the order of the metadata. */
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
  /** What dynn changed on reading, so that the file fits this contract: one sentence each. */
  readonly changes: readonly string[];
  /** The graph as it was read, with those changes and with the logits of the exits as outputs. Its
   * initializers keep their bits. Nodes that give logits from probabilities come last. */
  readonly source: Graph;
  /** A batch of the file that dynn opened by sizes alone. `checkOutputs` compares the answers with
   * those of the file, and takes this away. */
  readonly unchecked?: UncheckedBatch & {
    /** The same file with the batch of 1 that it holds, for answers that differ. */
    readonly closed: (because: string) => DynamicModel;
  };
  /** Why images run one at a time: what in the file works for a batch of 1 only. The graph then
   * takes [1,channels,height,width], and sessions split a batch. */
  readonly oneByOne?: string;
  /** What dynn put in front of that graph. */
  readonly prepended?: InputMaps;
  /** 255 when the file takes pixels in 0 to 255. The graph here takes pixels in [0,1] and
   * multiplies them. */
  readonly inputScale?: 255;
  /** What quantized operators mean for answers and gradients, in sentences. Undefined for a file
   * without such operators. */
  readonly quantization?: string;
  /** SHA-256 of the file. Undefined for a model that came from no file. */
  readonly sha256?: string;
}

/** The parts of an ONNX model from which a {@link DynamicModel} is built. */
export type ModelSource = Pick<OnnxModel, "graph" | "metadata" | "changes" | "sha256">;

/** Options for reading a graph as a classifier. */
export interface ModelOptions extends InputOptions, HeadOptions {
  readonly name?: string;
  /** Image size [h, w] for models that leave it open. */
  readonly imageSize?: readonly [number, number];
}

/** Builds the contract from an ONNX model in memory.
 * @throws DynnError 'model/input' when it does not take exactly one batch of images
 * @throws DynnError 'model/classifier' when the model does not have an output [n, classes], or when
 *  several outputs could be the classifier
 * @throws DynnError 'exits/value' when a named output does not exist or is not a classifier
 * @throws DynnError 'model/metadata' when its dynn.* metadata do not fit the graph
 * @throws DynnError 'model/gates' when its gates do not */
export const dynamicModel = (source: ModelSource, options: ModelOptions = {}): DynamicModel =>
  readModel(source, options);

/** @param closed why the batch of 1 cannot be opened, where that is known already */
function readModel(source: ModelSource, options: ModelOptions, closed?: string): DynamicModel {
  const name = options.name ?? source.graph.name;
  const metadata = withChosen(readMetadata(source.metadata, name), name, options);
  checkGateNames(source.graph, metadata.gates ?? [], name);
  const {
    graph: adapted,
    changes,
    unchecked,
    closed: oneByOne,
  } = adapt(source.graph, { ops: opTable, name, imageSize: options.imageSize, closed });
  const typed = (graph: Graph): Graph => foldConstants(withBatch(oneByOne ? 1 : "n", graph, name, options), opTable);
  const asFile = typed(adapted);
  const { maps, scale, normalization } = inputOf(asFile, metadata.normalization, options, name);
  const open = maps ? typed(prependInput(adapted, maps)) : asFile;
  const heads = metadata.exits
    ? { outputs: statedOutputs(open, metadata.exits, name), changes: [] }
    : headsOf(open, name, options);
  const { graph: withLogits, named, added } = asLogits(open, heads.outputs, adapted, name);
  const stated = reachedGates(withLogits, metadata.gates ?? [], options);
  const graph = simplifyKeeping(withLogits, gateValues(stated));
  const input = graph.inputs[0];
  const { exits, gates } = unitsOf(graph, { exits: metadata.exits, gates: stated }, named, name);
  const classes = classesOf(graph, exits, name);
  const quantization = quantizationOf(graph);
  checkCounts(metadata, { exits: exits.length, gates: gates.length, classes, channels: input.shape?.[1] }, name);
  return {
    name,
    graph,
    input: { name: input.name, shape: input.shape ?? [] },
    exits,
    gates,
    classes,
    classNames: metadata.classes,
    policy: metadata.policy,
    // Reordered channels hide what is behind them.
    normalization: (maps?.reversed ? undefined : findNormalization(graph, opTable)) ?? normalization,
    parameters: parameterCount(graph),
    metadata: source.metadata,
    source: { ...withNodes(adapted, added), outputs: graph.outputs.map((o) => ({ ...o, shape: undefined })) },
    changes: [...(source.changes ?? []), ...changes, ...heads.changes],
    ...(maps ? { prepended: maps } : {}),
    ...(unchecked ? { unchecked: { ...unchecked, closed: (because) => readModel(source, options, because) } } : {}),
    ...(oneByOne ? { oneByOne } : {}),
    ...(scale ? { inputScale: scale } : {}),
    ...(quantization === undefined ? {} : { quantization }),
    ...(source.sha256 === undefined ? {} : { sha256: source.sha256 }),
  };
}

/** The graph with one float32 image input of this batch.
 * @throws DynnError 'model/input' */
function withBatch(batch: Dim, graph: Graph, name: string, { imageSize }: ModelOptions): Graph {
  const [input, ...more] = graph.inputs;
  if (!input || more.length > 0 || input.dtype !== "float32" || input.shape?.length !== 4)
    throw wrongInput(graph, name);
  const [, channels, height, width] = input.shape;
  const shape: Shape = [batch, channels ?? 1, sized(height, imageSize?.[0]), sized(width, imageSize?.[1])];
  const outputs = graph.outputs.map((o) => ({ ...o, shape: undefined }));
  refuseBatchMixing(graph, opTable);
  return inferShapes({ ...graph, inputs: [{ ...input, shape }], outputs, types: new Map() }, opTable);
}

/** Says which of number, type and axes is the problem. */
function wrongInput({ inputs }: Graph, name: string): DynnError {
  const [{ dtype, shape } = { dtype: "float32", shape: [] }] = inputs;
  const found = inputs.map((i) => `${i.name} ${i.dtype}${showShape(i.shape)}`).join(", ") || "none";
  const problem =
    inputs.length !== 1
      ? "expected exactly one, float32 [n,channels,height,width]. Export the classifier with one image input"
      : dtype !== "float32"
        ? `dynn does not read ${dtype} pixels, expected float32, float16, bfloat16, float64 or uint8. Export the model with float32 input`
        : `expected [n,channels,height,width], got ${shape ? `${shape.length} axes` : "no shape"}. Export the model with an image input`;
  return new DynnError("model/input", `${name}: inputs are ${found}; ${problem}.`, {
    inputs: inputs.map((i) => i.name),
  });
}

const sized = (stated: Shape[number] | undefined, given: number | undefined): Shape[number] =>
  typeof stated === "string" && given !== undefined ? given : (stated ?? 1);

/** The metadata with the exits that the caller chose. A policy for more exits goes. */
function withChosen(metadata: ModelMetadata, name: string, options: ModelOptions): ModelMetadata {
  if (!metadata.exits || (options.exits === undefined && options.final === undefined)) return metadata;
  const exits = [...chosenExits(metadata.exits, name, options)];
  return { ...metadata, exits, policy: exits.length === metadata.exits.length ? metadata.policy : undefined };
}

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
  graph: {
    readonly exits: number;
    readonly gates: number;
    readonly classes: number;
    readonly channels: Dim | undefined;
  },
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
    check("dynn.policy", "thresholds of gates", policy.gates?.thresholds.length, graph.gates);
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

/** The gates of the exits that the caller chose. Without a choice, all gates. */
function reachedGates(graph: Graph, gates: StatedGates, { exits, final }: ModelOptions): StatedGates {
  if (exits === undefined && final === undefined) return gates;
  const before = new Set(
    ancestors(
      graph,
      graph.outputs.map((o) => o.name),
    ).flatMap((node) => node.outputs),
  );
  return gates.filter(({ value }) => before.has(value));
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
