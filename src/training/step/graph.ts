/** @file One training step as one graph: forward in training form, mixed loss, gradients of the parameters, optimizer update,
 *  running averages. Everything that changes from step to step (parameters, optimizer state, statistics, learning rate) goes in
 *  as inputs, and its next value comes out. */

import { appendVjp } from "../../autodiff/gradient.js";
import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import { fromNumbers, type Tensor } from "../../core/tensor.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import type { DropoutMask } from "../../graph/op.js";
import { prune } from "../../graph/passes/prune.js";
import { split } from "../../ops/support/emit.js";
import { opTable } from "../../ops/table.js";
import type { TrainingConfig } from "../recipe/config.js";
import { type MixedLoss, mixedLoss } from "./losses.js";
import { averaged, clipGradients, optimizerOf } from "./optimizers.js";
import { type TrainingForm, trainingForm } from "./training-form.js";

/** Inputs of a step besides the state, and outputs besides its next values. */
export const STEP = {
  labels: "step.labels",
  learningRate: "step.learning_rate",
  exitWeights: "step.exit_weights",
  /** Number of this update, from 1 on. */
  count: "step.count",
  loss: "step.loss",
  /** Mean cross-entropy of each exit, [k]. */
  exitLosses: "step.exit_losses",
  /** Samples that each exit gets right, [k]. */
  correct: "step.correct",
} as const;

export interface StepRequest {
  /** The network in its inference form, with the logits of its exits among its values. */
  readonly graph: Graph;
  readonly logits: readonly ValueName[];
  readonly trained: readonly ValueName[];
  readonly frozen: boolean;
  readonly config: TrainingConfig;
}

export interface StepGraph {
  readonly graph: Graph;
  readonly masks: readonly DropoutMask[];
  /** Every state input with its first value. */
  readonly initial: ReadonlyMap<string, Tensor>;
  /** Output that holds the next value of each state input. */
  readonly next: ReadonlyMap<string, string>;
}

/** The name of the running average of a parameter or statistic. */
export const averageOf = (name: ValueName): string => `${name}.ema`;

/** Build one training step as a graph: loss, gradients and update.
 * @throws DynnError 'training/config' when no exit's loss reaches a parameter, 'gradient/none' */
export function stepGraph(request: StepRequest): StepGraph {
  const { config, trained, frozen } = request;
  const rows = config.batch * (config.adversarial ? 2 : 1);
  const form = trainingForm(request.graph, { batch: rows, trained, frozen });
  const b = new GraphBuilder(form.graph);
  const inputs = {
    labels: b.input(STEP.labels, "int64", [config.batch]),
    learningRate: b.input(STEP.learningRate, "float32", []),
    weights: b.input(STEP.exitWeights, "float32", [request.logits.length]),
    count: b.input(STEP.count, "float32", []),
  };
  const classes = form.graph.types.get(present(request.logits.at(-1), "the final exit"))?.shape.at(-1) as number;
  const loss = stepLoss(b, request, { ...inputs, classes });
  const forward = inferShapes(b.build(), opTable);
  const grads = parameterGradients(b, forward, loss, trained);
  const state = new StateWriter(b);
  const learned = [...update(b, request, grads, inputs, state), ...runningStatistics(b, form, config, state)];
  if (config.ema !== undefined) averages(b, request.graph, learned, state, config.ema);
  declare(b, loss, state);
  return {
    graph: prune(inferShapes(b.build(), opTable)),
    masks: form.masks,
    initial: new Map([...state.initial(request.graph)]),
    next: state.next,
  };
}

/** The loss of the batch; in adversarial training the batch is n clean images and then n attacked ones. */
function stepLoss(
  b: GraphBuilder,
  { logits, config }: StepRequest,
  { labels, weights, classes }: { readonly labels: ValueName; readonly weights: ValueName; readonly classes: number },
): MixedLoss {
  const of = (exits: readonly ValueName[]): MixedLoss =>
    mixedLoss(b, {
      exits,
      labels,
      weights,
      classes,
      labelSmoothing: config.labelSmoothing,
      distill: config.distill,
    });
  if (!config.adversarial) return of(logits);
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

/** Keeps which output is the next value of which input. */
class StateWriter {
  readonly next = new Map<string, ValueName>();
  readonly #b: GraphBuilder;
  /** State that starts at zero or at a copy of an initializer. */
  readonly #slots = new Map<string, { readonly like: ValueName; readonly copy: boolean }>();

  constructor(b: GraphBuilder) {
    this.#b = b;
  }

  /** A new state input of the shape of `like`; starts at zero, or as a copy. */
  slot(name: string, like: ValueName, shape: readonly number[], copy = false): ValueName {
    this.#slots.set(name, { like, copy });
    return this.#b.input(name, "float32", shape);
  }

  set(name: string, value: ValueName): void {
    this.next.set(name, value);
  }

  *initial(graph: Graph): Generator<readonly [string, Tensor]> {
    for (const name of this.next.keys()) {
      const slot = this.#slots.get(name);
      const source = graph.initializers.get(slot?.like ?? name) as Tensor;
      const fresh = slot && !slot.copy;
      yield [name, fresh ? fromNumbers("float32", source.dims, new Float64Array(source.data.length)) : copied(source)];
    }
  }
}

const copied = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() });

const shapeIn = (graph: Graph, name: ValueName): readonly number[] => graph.initializers.get(name)?.dims ?? [];

/** New values of the parameters and the optimizer's state. A parameter that no loss reaches stays as it is.
 * @returns the parameters that change */
function update(
  b: GraphBuilder,
  { graph, trained, config }: StepRequest,
  grads: ReadonlyMap<ValueName, ValueName>,
  inputs: { readonly learningRate: ValueName; readonly count: ValueName },
  state: StateWriter,
): ValueName[] {
  const optimizer = optimizerOf(config.optimizer);
  const step = optimizer.begin(b, { learningRate: inputs.learningRate, step: inputs.count });
  const reached = trained.filter((name) => grads.has(name));
  for (const name of trained) if (!grads.has(name)) state.set(name, name);
  const raw = reached.map((name) => grads.get(name) as ValueName);
  const clipped = config.clipNorm === undefined ? raw : clipGradients(b, raw, config.clipNorm);
  reached.forEach((param, i) => {
    const shape = shapeIn(graph, param);
    const names = optimizer.slots.map((slot) => `${param}.${slot}`);
    const updated = step({
      param,
      grad: clipped[i],
      state: names.map((name) => state.slot(name, param, shape)),
      decay: config.decayAll || shape.length > 1,
    });
    state.set(param, updated.param);
    names.forEach((name, k) => state.set(name, updated.state[k]));
  });
  return reached;
}

/** new = (1 - m) * old + m * unbiased batch value (PyTorch).
 * @returns the names of the statistics */
function runningStatistics(
  b: GraphBuilder,
  form: TrainingForm,
  config: TrainingConfig,
  state: StateWriter,
): ValueName[] {
  const m = config.statisticsMomentum;
  for (const { name, batch, correction } of form.statistics) {
    const kept = b.op("Mul", [name, b.scalar(1 - m)]);
    state.set(name, b.op("Add", [kept, b.op("Mul", [batch, b.scalar(m * correction)])]));
  }
  return form.statistics.map((s) => s.name);
}

/** A running average of everything that the evaluated network is made of. */
function averages(b: GraphBuilder, graph: Graph, names: readonly ValueName[], state: StateWriter, decay: number): void {
  for (const name of names) {
    const average = state.slot(averageOf(name), name, shapeIn(graph, name), true);
    state.set(averageOf(name), averaged(b, average, state.next.get(name) as ValueName, decay));
  }
}

/** Outputs under fixed names: the report, and `next.NAME` for each state. */
function declare(b: GraphBuilder, loss: MixedLoss, state: StateWriter): void {
  b.clearOutputs();
  const give = (value: ValueName, name: string, shape: readonly number[] | undefined): void => {
    b.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [name], attributes: {} });
    b.output(name, "float32", shape);
  };
  give(loss.total, STEP.loss, []);
  give(loss.perExit, STEP.exitLosses, undefined);
  give(loss.correct, STEP.correct, undefined);
  for (const [name, value] of [...state.next]) {
    const output = b.fresh(`next.${name}`);
    give(value, output, undefined);
    state.next.set(name, output);
  }
}
