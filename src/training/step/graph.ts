/** @file One training step as one graph: forward in training form, mixed loss, gradients of the
 *  parameters, optimizer update, running averages. The state (parameters, optimizer state,
 *  statistics) and the learning rate are inputs. The next state is an output. */

import { appendVjp } from "../../autodiff/gradient.js";
import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import type { Tensor } from "../../core/tensor.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import type { DropoutMask } from "../../graph/op.js";
import { prune } from "../../graph/passes/prune.js";
import { split } from "../../ops/support/emit.js";
import { opTable } from "../../ops/table.js";
import type { TrainedGate } from "../gates/attach.js";
import type { TrainingConfig } from "../recipe/config.js";
import { type ScaledBackbone, scaleBackboneGradient } from "./backbone-gradient.js";
import { GATE_STEP, type GateForm, type GateLoss, gateForm, gateLoss } from "./gates.js";
import { type MixedLoss, mixedLoss } from "./losses.js";
import { StateWriter } from "./state-writer.js";
import { trainingForm } from "./training-form.js";
import { averages, runningStatistics, update } from "./updates.js";

/** Names of the inputs of a step besides the state, and of the outputs besides the next state. */
export const STEP = {
  labels: "step.labels",
  learningRate: "step.learning_rate",
  exitWeights: "step.exit_weights",
  /** Logits of the network that teaches one with gates, [n, classes]. */
  teacher: "step.teacher",
  /** Number of this update, counted from 1. */
  count: "step.count",
  loss: "step.loss",
  /** Mean cross-entropy of each exit, [k]. */
  exitLosses: "step.exit_losses",
  /** Number of samples that each exit answers right, [k]. */
  correct: "step.correct",
} as const;

/** The parts of a training step. */
export interface StepRequest {
  /** The network in its inference form, with the logits of its exits among its values. */
  readonly graph: Graph;
  /** Logits of the exits, in order. */
  readonly logits: readonly ValueName[];
  /** Names of the parameters that change. */
  readonly trained: readonly ValueName[];
  /** Whether everything in front of the trained parameters is frozen, statistics too. */
  readonly frozen: boolean;
  /** The configuration of the training. */
  readonly config: TrainingConfig;
  /** The gates of the network. Left out: none. */
  readonly gates?: readonly TrainedGate[] | undefined;
}

/** One training step as a graph. */
export interface StepGraph {
  /** From data, labels and state to the losses and the next state. */
  readonly graph: Graph;
  /** Dropout masks, which are inputs of every step. */
  readonly masks: readonly DropoutMask[];
  /** Number of gates whose scores take noise, which is an input of every step. */
  readonly noisyGates: number;
  /** Every state input with its first value. */
  readonly initial: ReadonlyMap<string, Tensor>;
  /** Output that holds the next value of each state input. */
  readonly next: ReadonlyMap<string, string>;
}

export function stepGraph(request: StepRequest): StepGraph {
  const { config, trained, frozen } = request;
  const rows = rowsOf(config);
  const form = trainingForm(request.graph, { batch: rows, trained, frozen });
  const gated = gatedForm(form.graph, request, rows);
  const backbone = scaledBackbone(gated.graph, request);
  const b = new GraphBuilder(backbone.graph);
  const inputs = {
    labels: b.input(STEP.labels, "int64", [config.batch]),
    learningRate: b.input(STEP.learningRate, "float32", []),
    weights: b.input(STEP.exitWeights, "float32", [request.logits.length]),
    count: b.input(STEP.count, "float32", []),
  };
  const classes = backbone.graph.types.get(present(request.logits.at(-1), "the final exit"))?.shape.at(-1) as number;
  const exits = stepLoss(b, request, { ...inputs, classes });
  const gates = config.gates && gateLoss(b, request.gates ?? [], config.gates);
  const constants = new Set([...exits.constants, ...backbone.constants, ...gated.constants]);
  const loss = { ...exits, total: gates ? b.op("Add", [exits.total, gates.total]) : exits.total, constants };
  const forward = inferShapes(b.build(), opTable);
  const grads = parameterGradients(b, forward, loss, trained);
  const state = new StateWriter(b);
  const scalars = { learningRate: inputs.learningRate, step: inputs.count };
  const parameters = update(b, request, grads, scalars, state);
  const learned = [...parameters, ...runningStatistics(b, request, form.statistics, state)];
  if (config.ema !== undefined) averages(b, { graph: request.graph, names: learned, decay: config.ema }, state);
  declare(b, { ...loss, gates }, state);
  return {
    graph: prune(inferShapes(b.build(), opTable)),
    masks: form.masks,
    noisyGates: config.gates?.kind === "budget" ? (request.gates ?? []).length : 0,
    initial: new Map([...state.initial(request.graph)]),
    next: state.next,
  };
}

const gatedForm = (graph: Graph, { config, gates = [] }: StepRequest, rows: number): GateForm =>
  config.gates ? gateForm(graph, gates, config.gates, rows) : { graph, constants: new Set() };

function scaledBackbone(graph: Graph, { config, logits }: StepRequest): ScaledBackbone {
  if (config.backboneGradient === undefined) return { graph, constants: new Set() };
  const scaled = scaleBackboneGradient(graph, logits, config.backboneGradient);
  return { ...scaled, graph: inferShapes(scaled.graph, opTable) };
}

/** Rows of a step. A share of 1 of the attacked loss leaves no work for clean images. */
export const rowsOf = ({ batch, adversarial }: TrainingConfig): number =>
  adversarial && adversarial.weight < 1 ? 2 * batch : batch;

/** The loss of the batch. In adversarial training the batch holds n clean images and then n
 * attacked images, or attacked images alone. */
function stepLoss(
  b: GraphBuilder,
  { logits, config }: StepRequest,
  { labels, weights, classes }: { readonly labels: ValueName; readonly weights: ValueName; readonly classes: number },
): MixedLoss {
  const teacher =
    config.gates && config.distill ? b.input(STEP.teacher, "float32", [config.batch, classes]) : undefined;
  const of = (exits: readonly ValueName[]): MixedLoss =>
    mixedLoss(b, {
      teacher,
      exits,
      labels,
      weights,
      classes,
      labelSmoothing: config.labelSmoothing,
      distill: config.distill,
    });
  if (!config.adversarial || rowsOf(config) === config.batch) return of(logits);
  const halves = logits.map((name) => split(b, name, 0, [config.batch, config.batch]));
  const [clean, attacked] = [0, 1].map((half) => of(halves.map((parts) => parts[half])));
  const share = config.adversarial.weight;
  const mix = (x: ValueName, y: ValueName): ValueName =>
    b.op("Add", [b.op("Mul", [x, b.scalar(1 - share)]), b.op("Mul", [y, b.scalar(share)])]);
  const constants = new Set([...clean.constants, ...attacked.constants]);
  return { ...clean, total: mix(clean.total, attacked.total), constants };
}

function parameterGradients(
  b: GraphBuilder,
  forward: Graph,
  loss: MixedLoss,
  trained: readonly ValueName[],
): ReadonlyMap<ValueName, ValueName> {
  const grads = appendVjp(b, forward, opTable, {
    seeds: new Map([[loss.total, b.scalar(1)]]),
    wrt: trained,
    constants: loss.constants,
  });
  if (grads.size > 0) return grads;
  throw new DynnError(
    "training/config",
    `${forward.name}: the loss depends on no parameter. Parameters are float initializers whose names end in .weight, .bias or .mix.`,
    {},
  );
}

/** Gives the outputs fixed names: the names of the report, and `next.NAME` for each state. */
function declare(
  b: GraphBuilder,
  loss: MixedLoss & { readonly gates: GateLoss | undefined },
  state: StateWriter,
): void {
  b.clearOutputs();
  const give = (value: ValueName, name: string, shape: readonly number[] | undefined): void => {
    b.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [name], attributes: {} });
    b.output(name, "float32", shape);
  };
  give(loss.total, STEP.loss, []);
  give(loss.perExit, STEP.exitLosses, undefined);
  give(loss.correct, STEP.correct, undefined);
  if (loss.gates) give(loss.gates.rates, GATE_STEP.rates, undefined);
  for (const [name, value] of [...state.next]) {
    const output = b.fresh(`next.${name}`);
    give(value, output, undefined);
    state.next.set(name, output);
  }
}
