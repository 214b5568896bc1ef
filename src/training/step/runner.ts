/** @file Runs the compiled step. Each run takes feeds, returns a report, and replaces the state. */
import { type StreamKey, uniform } from "../../core/rng.js";
import { sizeOf } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import type { DropoutMask } from "../../graph/op.js";
import type { Backend, Session, Tensors } from "../../runtime/backend.js";
import { GATE_STEP } from "./gates.js";
import { STEP, type StepGraph } from "./graph.js";

/** The inputs of a step besides the state. */
export interface StepInputs {
  /** Images or features, by input name. */
  readonly data: Tensors;
  /** True classes, [n]. */
  readonly labels: Tensor<"int64">;
  /** Record number of each row. Masks depend on it. */
  readonly indices: Uint32Array;
  /** Learning rate of this step. */
  readonly learningRate: number;
  /** Coefficient of each exit's loss. */
  readonly exitWeights: readonly number[];
  /** Steps of the whole run before this one. */
  readonly done: number;
  /** The seed of the masks and of the noise. */
  readonly seed: number;
  /** What the budget of gates needs. Left out: the network has none. */
  readonly gates?: GateInputs | undefined;
}

/** The inputs of gates with a budget. */
export interface GateInputs {
  /** Factor of the noise that scores take. */
  readonly noise: number;
  /** Smallest and largest open rate that costs nothing. */
  readonly bounds: readonly [lower: number, upper: number];
}

/** The result of one step. */
export interface StepResult {
  /** The descended loss, mean over the batch. */
  readonly loss: number;
  /** Mean cross-entropy of each exit. */
  readonly exitLosses: readonly number[];
  /** Number of right answers of each exit. */
  readonly correct: readonly number[];
  /** Share of the batch for which each gate was open. Empty without gates. */
  readonly gateRates: readonly number[];
}

/** Runs training steps and keeps the state between them. */
export class StepRunner {
  readonly #session: Session;
  readonly #graph: StepGraph;
  #now: ReadonlyMap<string, Tensor>;

  private constructor(session: Session, graph: StepGraph, state: ReadonlyMap<string, Tensor>) {
    this.#session = session;
    this.#graph = graph;
    this.#now = state;
  }

  /** Compiles a step for a backend.
   * @param state a kept state. The default is the first state
   * @throws DynnError 'runtime/load' */
  static async compile(backend: Backend, graph: StepGraph, state?: ReadonlyMap<string, Tensor>): Promise<StepRunner> {
    const first = new Map([...(state ?? graph.initial)].map(([name, t]) => [name, copied(t)]));
    return new StepRunner(await backend.compile(graph.graph), graph, first);
  }

  /** The current parameters, optimizer state, statistics and averages. */
  get state(): ReadonlyMap<string, Tensor> {
    return this.#now;
  }

  /** Replaces some tensors of the state. */
  replace(tensors: ReadonlyMap<string, Tensor>): void {
    this.#now = new Map([...this.#now, ...tensors]);
  }

  /** Run one step on one batch. */
  async step(inputs: StepInputs): Promise<StepResult> {
    const results = await this.#session.run(this.#feeds(inputs));
    this.#now = new Map([...this.#graph.next].map(([name, output]) => [name, results[output]]));
    const numbers = (name: string): number[] => [...toNumbers(results[name])];
    return {
      loss: numbers(STEP.loss)[0],
      exitLosses: numbers(STEP.exitLosses),
      correct: numbers(STEP.correct),
      gateRates: GATE_STEP.rates in results ? numbers(GATE_STEP.rates) : [],
    };
  }

  /** Releases the memory of the session. */
  release(): Promise<void> {
    return this.#session.release();
  }

  #feeds(inputs: StepInputs): Tensors {
    const all: Record<string, Tensor> = {
      ...Object.fromEntries(this.#now),
      ...inputs.data,
      ...this.#masks(inputs),
      ...this.#gates(inputs),
      [STEP.labels]: inputs.labels,
      [STEP.learningRate]: fromNumbers("float32", [], [inputs.learningRate]),
      [STEP.exitWeights]: fromNumbers("float32", [inputs.exitWeights.length], inputs.exitWeights),
      [STEP.count]: fromNumbers("float32", [], [inputs.done + 1]),
    };
    return Object.fromEntries(this.#session.inputs.map((name) => [name, all[name]]));
  }

  #gates({ gates, indices, seed, done }: StepInputs): Tensors {
    if (!gates) return {};
    const count = this.#graph.noisyGates;
    const noise = new Float32Array(indices.length * count);
    if (gates.noise > 0)
      for (const [row, sample] of indices.entries())
        noise.set(
          logistic({ seed, sample, purpose: "gate", step: done }, count).map((e) => gates.noise * e),
          row * count,
        );
    return {
      [GATE_STEP.noise]: { dtype: "float32", dims: [indices.length, count], data: noise },
      [GATE_STEP.bounds]: fromNumbers("float32", [2], gates.bounds),
    };
  }

  /** Each mask of each record has its own random stream. */
  #masks(inputs: StepInputs): Tensors {
    const { masks } = this.#graph;
    return Object.fromEntries(
      masks.map((mask, i) => [mask.name, maskTensor(mask, (record) => record * masks.length + i, inputs)]),
    );
  }
}

/** Numbers of the logistic distribution: log u - log(1 - u) for a uniform u. A score plus such a
 * number is at least 0 with probability sigmoid(score). */
const logistic = (key: StreamKey, count: number): Float32Array =>
  uniform(key, count).map((draw) => {
    // A draw may be 0; the middle of its step of 2^-24 is not.
    const u = draw + 2 ** -25;
    return Math.log(u) - Math.log(1 - u);
  });

const copied = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() });

function maskTensor(
  { ratio, shape }: DropoutMask,
  streamOf: (record: number) => number,
  { indices, seed, done }: StepInputs,
): Tensor {
  const each = sizeOf(shape.slice(1));
  const data = new Float32Array(sizeOf(shape));
  for (let row = 0; row < shape[0]; row++) {
    const sample = streamOf(indices[row % indices.length]);
    const draws = uniform({ seed, sample, purpose: "dropout", step: done }, each);
    for (let i = 0; i < each; i++) data[row * each + i] = draws[i] < ratio ? 0 : 1 / (1 - ratio);
  }
  return { dtype: "float32", dims: shape, data };
}
