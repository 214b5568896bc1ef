/** @file Makes one ONNX graph that routes by itself. After each early exit, an `If` holds the rest
 *  of the network. It runs the rest on the rows of the batch that go on (Gather), and puts their
 *  answers into place (ScatterND). The graph uses standard operators only, so any ONNX runtime
 *  skips the work. Each weight is stored once, in the sub-graph that uses it. */

import { ONNX_CODE } from "../../../core/dtype.js";
import type { Dim, Shape } from "../../../core/shape.js";
import { type Attribute, int } from "../../../graph/attributes.js";
import { GraphBuilder } from "../../../graph/builder.js";
import { checkGraph } from "../../../graph/checker.js";
import { type Graph, type ValueInfo, type ValueName, type ValueType, withSubgraphs } from "../../../graph/graph.js";
import { emptyGraph } from "../../../graph/op.js";
import { distinctNames, namesIn, withReads } from "../../../graph/scopes.js";
import type { WritableModel } from "../../../onnx/write.js";
import { unsqueeze } from "../../../ops/support/emit.js";
import { METADATA_KEYS } from "../../../schema/metadata.js";
import type { Policy } from "../../../schema/policy.js";
import { writeMetadata } from "../../model/metadata.js";
import type { DynamicModel } from "../../model/model.js";
import { requireOpenBatch } from "../../model/open-batch.js";
import { underPolicy } from "../../model/under-policy.js";
import { forcedBits } from "../../route/route.js";
import { type LiveExits, liveExits } from "../live-exits.js";
import { skipping } from "../skipping/index.js";
import { type Stage, type StageGate, splitStages } from "../stages.js";
import { type Answer, type ExitNodes, filled, labelOf, type Memory, orEqual, readExit } from "./routing-graph.js";

/** The outputs of a conditional graph: logits [n, classes] and confidence of the answering exit,
 * the exit where the work stopped, and the label. A network with gates also has their bits, int64
 * [n, gates], with 0 for a gate that the sample did not meet. */
export const CONDITIONAL_OUTPUTS = {
  logits: "logits",
  exit: "exit",
  label: "label",
  confidence: "confidence",
  gates: "gates",
} as const;

/** The result of every row: the answer, and the exit where the row stopped (int64 [n]). With gates,
 * also their bits (int64 [n, gates]). */
type Outcome = Answer & { readonly exit: ValueName; readonly gates?: ValueName };
type OutcomePart = keyof Outcome;
const partsOf = ({ model }: Plan): readonly OutcomePart[] =>
  model.gates.length === 0 ? ["logits", "exit", "confidence"] : ["logits", "exit", "confidence", "gates"];

/** The values that do not change from stage to stage. */
interface Plan {
  readonly model: DynamicModel;
  readonly live: LiveExits;
  readonly stages: readonly Stage[];
  /** Every name of the model. Added nodes and values use other names. */
  readonly names: readonly ValueName[];
  /** Batches hold one sample. Either all rows go on or none, so rows need not be packed. */
  readonly single: boolean;
}

/** The form of a conditional model. */
export interface ConditionalOptions {
  /** For batches of one sample only. The graph answers them faster. */
  readonly single?: boolean | undefined;
}

/** The inputs of a stage: hidden values by their names in the model, and the memory of earlier
 * exits. */
interface Rows {
  readonly hidden: ReadonlyMap<ValueName, ValueName>;
  readonly memory: Memory;
}

/** The model under a policy as one conditional graph, with its metadata. Exits that cannot fire are
 * left out.
 * @returns the model's input, and the outputs of {@link CONDITIONAL_OUTPUTS}. dynn does not read
 *  such a file as a model.
 * @throws DynnError 'model/batch' when the model runs one image at a time */
export function conditionalModel(
  given: DynamicModel,
  policy: Policy,
  { single = false }: ConditionalOptions = {},
): WritableModel {
  requireOpenBatch(given, "a conditional graph");
  const model = underPolicy(given, policy);
  const metadata = writeMetadata({ classes: model.classNames, normalization: model.normalization });
  const exits = model.exits.map(({ name, costFraction }) => ({ name, costFraction }));
  metadata.set(METADATA_KEYS.conditional, JSON.stringify({ model: model.name, exits, policy }));
  return { graph: conditionalGraph(model, policy, single), metadata };
}

function conditionalGraph(model: DynamicModel, policy: Policy, single: boolean): Graph {
  const { graph } = model;
  const live = liveExits(model, policy);
  const cut = splitStages({ ...model, exits: live.exits });
  const stages = cut.map((stage) => ({ ...stage, graph: skipping(stage.graph, model.gates, { single }) }));
  const names = [graph, ...stages.map((stage) => stage.graph)].flatMap(namesIn);
  const plan: Plan = { model, live, stages, names, single };
  const b = scope(plan, 0);
  const { logits, exit, confidence, gates } = stage(plan, 0, b, { hidden: new Map(), memory: {} });
  const label = labelOf(b, logits);
  const narrow = b.op("Cast", [confidence], { to: int(ONNX_CODE.float32) });
  const named = {
    logits: b.op("Identity", [logits]),
    exit: b.op("Identity", [exit]),
    label,
    confidence: narrow,
    ...(gates === undefined ? {} : { gates: b.op("Identity", [gates]) }),
  };
  b.output(named.logits, "float32", ["n", model.classes]);
  b.output(named.exit, "int64", ["n"]);
  b.output(named.label, "int64", ["n"]);
  b.output(named.confidence, "float32", ["n"]);
  if (named.gates !== undefined) b.output(named.gates, "int64", ["n", model.gates.length]);
  const outputs = Object.entries(named).map(
    ([key, from]) => [from, CONDITIONAL_OUTPUTS[key as keyof typeof named]] as const,
  );
  const inputs = single ? graph.inputs.map(ofOne) : graph.inputs;
  const whole = distinctNames({ ...b.build(), name: graph.name, inputs }, new Map(outputs));
  checkGraph(whole);
  return whole;
}

/** An input for one sample. */
const ofOne = (info: ValueInfo): ValueInfo => ({ ...info, shape: info.shape && [1, ...info.shape.slice(1)] });

/** A builder for the sub-graph that begins with stage k. It holds the constants of the stage. Its
 * new names differ from all names in later stages.
 * @param outer names that the sub-graph reads from the graphs around it */
function scope(plan: Plan, k: number, outer: readonly ValueName[] = []): GraphBuilder {
  const { model, stages, names } = plan;
  const { graph } = stages[k];
  const types = new Map([...graph.types].map(([name, type]) => [name, rowsOf(plan, type, k)]));
  const b = new GraphBuilder({
    ...emptyGraph(`stage${k}`, model.graph.opset),
    initializers: graph.initializers,
    types,
  });
  for (const name of [model.input.name, ...names, ...outer]) b.reserve(name);
  return b;
}

/** Append stage k and all later stages. */
function stage(plan: Plan, k: number, b: GraphBuilder, { hidden, memory }: Rows): Outcome {
  const { graph, logits, kept } = plan.stages[k];
  const { length } = partsOf(plan);
  const here = (name: ValueName): ValueName => hidden.get(name) ?? name;
  const typed = (inner: Graph): Graph => inStage(plan, inner, k);
  for (const node of graph.nodes) b.append(withSubgraphs(withReads(node, here), typed));
  const last = k === plan.stages.length - 1;
  const reading = readExit(b, logits, { policy: plan.live.policy, exit: k, last }, memory);
  const gates = bitsSoFar(plan, k, b, { like: reading.answer.confidence, before: memory.gates });
  const own = { ...reading.answer, exit: numberOf(plan, k, b, reading), ...gates };
  if (reading.fires === undefined) return own;
  const rows = { hidden: new Map(kept.map((name) => [name, here(name)])), memory: { ...reading.memory, ...gates } };
  const stops = branch(stop(plan, k, own));
  const routed = plan.single
    ? b.ops("If", [reading.fires], length, { then_branch: stops, else_branch: branch(rest(plan, k + 1, rows)) })
    : packed(plan, k, b, { fires: reading.fires, own, rows, stops });
  return outcomeOf(plan, (part) => routed[partsOf(plan).indexOf(part)]);
}

/** The bits of all gates up to stage k, int64 [n, gates]. Gates of later stages have 0.
 * @param like a value [n]
 * @param before the bits up to the stage before */
function bitsSoFar(
  { model, stages }: Plan,
  k: number,
  b: GraphBuilder,
  { like, before }: { readonly like: ValueName; readonly before: ValueName | undefined },
): Pick<Outcome, "gates"> {
  if (model.gates.length === 0) return {};
  const scored = new Map(stages[k].gates.map((gate) => [gate.gate, gate]));
  const known = forcedBits(model.gates.map(({ threshold }) => threshold));
  const columns = known.map((bit, gate) => {
    const own = scored.get(gate);
    return unsqueeze(b, own ? bitNode(b, own) : filled(b, like, before === undefined ? (bit ?? 0) : 0), [1]);
  });
  const own = b.op("Concat", columns, { axis: int(1) });
  return { gates: before === undefined ? own : b.op("Add", [before, own]) };
}

/** The bit of a gate from its score, int64 [n]. */
const bitNode = (b: GraphBuilder, { score, threshold }: StageGate): ValueName =>
  b.op("Cast", [orEqual(b, "Greater", score, b.scalar(threshold))], { to: int(ONNX_CODE.int64) });

/** The number of the exit where rows stop, for rows that fire here. Later exits overwrite the
 * number of the other rows. */
function numberOf({ model, live, single }: Plan, k: number, b: GraphBuilder, { answer, fires }: ExitNodes): ValueName {
  const number = model.exits.indexOf(live.exits[k]);
  if (fires === undefined) return filled(b, answer.confidence, number);
  if (single) return b.ints([number]);
  return b.op("Where", [fires, b.scalar(number, "int64"), b.scalar(number + 1, "int64")]);
}

/** The rest of the network behind exit k. It runs when at least one row goes on. */
function packed(
  plan: Plan,
  k: number,
  b: GraphBuilder,
  { fires, stops, ...here }: Stop & { readonly fires: ValueName; readonly stops: Attribute },
): ValueName[] {
  const goes = b.op("NonZero", [b.op("Not", [fires])]);
  const any = b.op("Cast", [b.op("Size", [goes])], { to: int(ONNX_CODE.bool) });
  const branches = { then_branch: branch(goOn(plan, k + 1, { goes, ...here })), else_branch: stops };
  return b.ops("If", [any], partsOf(plan).length, branches, "routed");
}

/** The state behind an exit: the rows, and their answers if all of them stopped there. */
interface Stop {
  readonly own: Outcome;
  readonly rows: Rows;
}

const branch = (value: Graph): Attribute => ({ kind: "graph", value });

/** The network from stage k on, for a batch of one. */
function rest(plan: Plan, k: number, rows: Rows): Graph {
  const b = scope(plan, k, [...rows.hidden.values(), ...Object.values(rows.memory)]);
  return branchOf(plan, k, b, stage(plan, k, b, rows));
}

/** The network from stage k on for the rows that go on, with their answers put among the answers of
 * the other rows.
 * @param goes numbers of the rows that go on [1, rows] */
function goOn(plan: Plan, k: number, { goes, own, rows }: Stop & { readonly goes: ValueName }): Graph {
  const outer = [goes, ...Object.values(own), ...rows.hidden.values(), ...Object.values(rows.memory)];
  const b = scope(plan, k, outer);
  const which = b.op("Reshape", [goes, b.ints([-1])]);
  const going = (name: ValueName): ValueName => b.op("Gather", [name, which], { axis: int(0) }, `${name}/rows`);
  const hidden = new Map([...rows.hidden].map(([name, at]) => [name, going(at)]));
  for (const [name, at] of hidden) b.setType(at, rowsOf(plan, plan.model.graph.types.get(name) as ValueType, k));
  const memory = Object.fromEntries(Object.entries(rows.memory).map(([part, at]) => [part, going(at)]));
  const later = stage(plan, k, b, { hidden, memory });
  const places = b.op("Reshape", [goes, b.ints([-1, 1])]);
  const all = outcomeOf(plan, (part) => b.op("ScatterND", [own[part] as ValueName, places, later[part] as ValueName]));
  return branchOf(plan, k - 1, b, all);
}

/** A branch behind exit k that ends with an outcome. */
function branchOf(plan: Plan, k: number, b: GraphBuilder, outcome: Outcome): Graph {
  for (const info of infosOf(plan, k, outcome)) b.output(info.name, info.dtype, info.shape);
  return b.build();
}

/** All rows stop here, so their answers do not change. */
function stop(plan: Plan, k: number, own: Outcome): Graph {
  const b = new GraphBuilder(emptyGraph(`stop${k}`, plan.model.graph.opset));
  for (const name of Object.values(own)) b.reserve(name);
  return branchOf(
    plan,
    k,
    b,
    outcomeOf(plan, (part) => b.op("Identity", [own[part] as ValueName])),
  );
}

const outcomeOf = (plan: Plan, part: (name: OutcomePart) => ValueName): Outcome =>
  Object.fromEntries(partsOf(plan).map((name) => [name, part(name)])) as Record<OutcomePart, ValueName>;

/** The outputs of a branch behind exit k, in the order of {@link partsOf}. */
function infosOf(plan: Plan, k: number, { logits, exit, confidence, gates }: Outcome): ValueInfo[] {
  const n = rowCount(plan, "n", k);
  return [
    { name: logits, dtype: "float32", shape: [n, plan.model.classes] },
    { name: exit, dtype: "int64", shape: [n] },
    { name: confidence, dtype: "float64", shape: [n] },
    ...(gates === undefined ? [] : [{ name: gates, dtype: "int64" as const, shape: [n, plan.model.gates.length] }]),
  ];
}

/** A type in stage k. Its rows are the rows that go on. They are fewer than in the graph around it,
 * so their number has its own name. */
const rowsOf = (
  plan: Plan,
  { dtype, shape }: ValueType,
  k: number,
): { readonly dtype: ValueType["dtype"]; readonly shape: Shape } => ({
  dtype,
  shape: shape.map((d) => rowCount(plan, d, k)),
});

/** A sub-graph of stage k with the number of rows of the stage. */
const inStage = (plan: Plan, graph: Graph, k: number): Graph => ({
  ...graph,
  types: new Map([...graph.types].map(([name, type]) => [name, rowsOf(plan, type, k)])),
  outputs: graph.outputs.map((info) => ({ ...info, shape: info.shape?.map((d) => rowCount(plan, d, k)) })),
});

const rowCount = ({ single }: Plan, dim: Dim, k: number): Dim =>
  typeof dim === "number" || k === 0 || single
    ? dim
    : dim
        .split("*")
        .map((factor) => (factor === "n" ? `n${k}` : factor))
        .join("*");
