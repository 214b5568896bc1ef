/** @file Trains a network: from a model, data and a configuration to trained weights. The run is a
 *  pure function of these. On the same backend, a resumed run ends with the same bytes as a run
 *  without a break. */
import { DynnError } from "../../core/errors.js";
import type { Tensor } from "../../core/tensor.js";
import { stepsPerEpoch, type TrainingBatch } from "../../data/batches.js";
import type { Graph } from "../../graph/graph.js";
import { checkRoom } from "../../runtime/batch.js";
import { type EpochReport, RECIPE_DEFINITIONS } from "../../schema/training.js";
import { statedGates } from "../gates/metadata.js";
import { exitWeights } from "../recipe/exit-weights.js";
import { gateInputs } from "../recipe/gate-schedule.js";
import { learningRate } from "../recipe/schedules.js";
import { stepGraph } from "../step/graph.js";
import { type StepResult, StepRunner } from "../step/runner.js";
import type { TrainingState } from "../step/state.js";
import { averageOf } from "../step/updates.js";
import { allFinite, diverged } from "./divergence.js";
import { estimateStatistics } from "./estimate-statistics.js";
import { evaluateExits } from "./evaluate.js";
import { type FeedSource, makeFeeds } from "./feeds.js";
import type { TrainingRequest } from "./request.js";
import { bestEpoch, isStopped, splitBest, withBest } from "./stopping.js";
import { trainedNames } from "./trained.js";

/** What {@link train} returns. */
export interface TrainingResult {
  /** The trained network. */
  readonly graph: Graph;
  /** The last state, from which training can resume. */
  readonly state: TrainingState;
  /** One report for each epoch. */
  readonly epochs: readonly EpochReport[];
}

/** Trains a network. When the signal aborts, the current step finishes, a checkpoint is saved, and
 * the signal's reason is thrown.
 * @throws DynnError 'training/diverged' when a loss or a weight is not finite (the last checkpoint
 *  is kept)
 * @throws DynnError 'training/config', 'data/label', 'data/value', 'gradient/none',
 *  'runtime/run'
 * @example
 * ```ts
 * import { ARCHITECTURES, openDataset, ortNode, subset, train, trainingConfig } from "dynn/node";
 *
 * const data = await openDataset("sample");
 * const records = (from: number, count: number) =>
 *   subset(data, Uint32Array.from({ length: count }, (_, i) => from + i));
 * const { graph } = ARCHITECTURES.resnet20.make({ classes: 10, imageSize: 32, width: 0.25 });
 * const { epochs } = await train({
 *   model: { graph, exits: [{ name: "final", logits: graph.outputs[0].name, costFraction: 1 }] },
 *   train: records(0, 100),
 *   validation: records(400, 100),
 *   config: trainingConfig(
 *     "static",
 *     { epochs: 1, batch: 50 },
 *     { architecture: "resnet20", side: 32 },
 *   ),
 *   backend: ortNode(),
 * });
 * console.log(epochs[0].validationAccuracy);
 * ```
 */
export async function train(request: TrainingRequest): Promise<TrainingResult> {
  const run = await Run.start(request);
  try {
    return await run.toEnd();
  } finally {
    await run.release();
  }
}

class Run {
  readonly #request: TrainingRequest;
  readonly #runner: StepRunner;
  readonly #feeds: FeedSource;
  readonly #steps: number;
  #epoch: number;
  #step: number;
  #sums: number[];
  readonly #epochs: EpochReport[];
  /** The weights of the best epoch, for a run that may stop early. */
  #best: ReadonlyMap<string, Tensor>;
  #epochStart = performance.now();
  #imagesSince = 0;
  #lastSave = performance.now();

  private constructor(request: TrainingRequest, runner: StepRunner, feeds: FeedSource) {
    this.#request = request;
    this.#runner = runner;
    this.#feeds = feeds;
    this.#steps = stepsPerEpoch(request.train.count, request.config.batch);
    const { resume } = request;
    this.#epoch = resume?.epoch ?? 0;
    this.#step = resume?.step ?? 0;
    this.#sums = [...(resume?.sums ?? this.#zeros())];
    this.#epochs = [...(resume?.epochs ?? [])];
    this.#best = splitBest(resume?.tensors).best;
  }

  static async start(request: TrainingRequest): Promise<Run> {
    const { model, config, backend } = request;
    if (stepsPerEpoch(request.train.count, config.batch) < 1) throw tooFew(request);
    const trained = trainedNames(model.graph, config.recipe);
    const { frozen } = RECIPE_DEFINITIONS[config.recipe];
    const feeds = await makeFeeds(request, { trained, frozen });
    const logits = model.exits.map((e) => e.logits);
    const graph = stepGraph({ graph: feeds.graph, logits, trained, frozen, config, gates: model.gates });
    const kept = request.resume && splitBest(request.resume.tensors).now;
    try {
      checkRoom({ name: "training step", graph: graph.graph, batch: config.batch, backend });
      return new Run(request, await StepRunner.compile(backend, graph, kept), feeds);
    } catch (error) {
      await feeds.release();
      throw error;
    }
  }

  async toEnd(): Promise<TrainingResult> {
    const { config, signal, model } = this.#request;
    if (this.#step === this.#steps) await this.#finishEpoch();
    const left = this.#isStopped ? [] : this.#feeds.batches({ epoch: this.#epoch, step: this.#step });
    for await (const batch of left) {
      await this.#train(batch);
      if (this.#step === this.#steps) await this.#finishEpoch();
      else if (signal?.aborted || this.#isDue()) await this.#save();
      signal?.throwIfAborted();
      if (this.#isStopped) break;
    }
    if (this.#epoch !== config.epochs && !this.#isStopped) throw new Error("bug: the batches ended before the run");
    return { graph: this.#weighed(model.graph, this.#best), state: this.#state(), epochs: this.#epochs };
  }

  async release(): Promise<void> {
    await this.#runner.release();
    await this.#feeds.release();
  }

  async #train(batch: TrainingBatch): Promise<void> {
    const { config, model } = this.#request;
    const [done, total] = [this.#done, this.#steps * config.epochs];
    const rate = learningRate(config.schedule, done, total);
    const labels: Tensor<"int64"> = { dtype: "int64", dims: [config.batch], data: batch.labels };
    const costs = model.exits.map((e) => e.costFraction);
    const gates = gateInputs(config.gates, done / total);
    const result = await this.#runner.step({
      data: await this.#feeds.feeds(batch, labels, this.#runner.state, done),
      labels,
      indices: batch.indices,
      learningRate: rate,
      exitWeights: exitWeights(config.exitWeights, costs, total > 1 ? done / (total - 1) : 1),
      done,
      seed: config.seed,
      ...(gates ? { gates } : {}),
    });
    if (!Number.isFinite(result.loss)) throw diverged(this.#epoch, this.#step, rate);
    this.#count(result);
    this.#report(result, rate);
  }

  get #isStopped(): boolean {
    return this.#step === 0 && isStopped(this.#request.config.stop, this.#epochs);
  }

  get #done(): number {
    return this.#epoch * this.#steps + this.#step;
  }

  #zeros(): number[] {
    const { exits } = this.#request.model;
    return new Array<number>(1 + 2 * exits.length + this.#gates).fill(0);
  }

  /** Number of gates that the run trains. */
  get #gates(): number {
    const { config, model } = this.#request;
    return config.gates ? (model.gates ?? []).length : 0;
  }

  #count({ loss, exitLosses, correct, gateRates }: StepResult): void {
    [loss, ...exitLosses, ...correct, ...gateRates].forEach((value, i) => {
      this.#sums[i] += value;
    });
    this.#step++;
    this.#imagesSince += this.#request.config.batch;
  }

  #report({ loss, correct }: StepResult, rate: number): void {
    const { config, onStep } = this.#request;
    onStep?.({
      epoch: this.#epoch,
      step: this.#step,
      totalStep: this.#done,
      stepsPerEpoch: this.#steps,
      epochs: config.epochs,
      loss,
      accuracy: correct.map((n) => n / config.batch),
      learningRate: rate,
      images: config.batch,
    });
  }

  async #finishEpoch(): Promise<void> {
    const { config, model, validation, backend, onEpoch } = this.#request;
    const seconds = (performance.now() - this.#epochStart) / 1000;
    const imagesPerSecond = this.#imagesSince / seconds;
    if (this.#gates > 0 && this.#epoch === config.epochs - 1) await this.#estimateStatistics();
    const exits = model.exits.length;
    const [loss, ...sums] = this.#sums.map((sum) => sum / this.#steps);
    const weigh = (graph: Graph): Graph => this.#weighed(graph);
    const checked = this.#feeds.validate
      ? await this.#feeds.validate(weigh)
      : await evaluateExits(weigh(model.graph), validation, {
          exits: model.exits,
          backend,
          batch: config.batch,
          gates: this.#gates > 0 ? statedGates(model.gates) : undefined,
        });
    // Running statistics can lag behind weights that diverge. A network saved at this point would
    // give no finite answers.
    if (!checked.losses.every(Number.isFinite)) throw this.#divergedBefore("the validation loss");
    const report: EpochReport = {
      epoch: this.#epoch,
      step: this.#done,
      learningRate: learningRate(config.schedule, this.#done - 1, this.#steps * config.epochs),
      loss,
      exitLosses: sums.slice(0, exits),
      trainAccuracy: sums.slice(exits, 2 * exits).map((right) => right / config.batch),
      validationLosses: checked.losses,
      validationAccuracy: checked.correct.map((right) => right / checked.count),
      ...(this.#gates > 0
        ? { gateRates: sums.slice(2 * exits), validationGateRates: checked.open.map((n) => n / checked.count) }
        : {}),
      imagesPerSecond,
      seconds,
    };
    this.#epochs.push(report);
    if (config.stop && bestEpoch(this.#epochs) === this.#epoch) this.#best = this.#weights();
    this.#epoch++;
    this.#step = 0;
    this.#sums = this.#zeros();
    await this.#save();
    await onEpoch?.(report);
    this.#epochStart = performance.now();
    this.#imagesSince = 0;
  }

  /** Replaces the running statistics by those of the deployed network. In training, noise opened
   * and closed other gates. */
  async #estimateStatistics(): Promise<void> {
    const { model, config, backend, signal } = this.#request;
    await this.#save();
    const batches = this.#feeds.batches({ epoch: 0, step: 0 });
    const rest = { batches, rows: config.batch, backend, signal, state: this.#runner.state };
    this.#runner.replace(await estimateStatistics({ graph: model.graph, ...rest }));
  }

  #isDue(): boolean {
    const { checkpoint } = this.#request;
    return checkpoint !== undefined && performance.now() - this.#lastSave >= checkpoint.everySeconds * 1000;
  }

  async #save(): Promise<void> {
    await this.#request.checkpoint?.save(this.#state());
    this.#lastSave = performance.now();
  }

  /** @throws DynnError 'training/diverged' when the last update made a number infinite. The loss
   *  shows this one step later */
  #state(): TrainingState {
    const tensors = this.#runner.state;
    if (![...tensors.values()].every(allFinite)) throw this.#divergedBefore("a weight");
    return {
      epoch: this.#epoch,
      step: this.#step,
      tensors: withBest(tensors, this.#best),
      sums: [...this.#sums],
      epochs: [...this.#epochs],
    };
  }

  /** The failure that the last step caused. */
  #divergedBefore(what: string): DynnError {
    const { schedule, epochs } = this.#request.config;
    const last = this.#done - 1;
    const rate = learningRate(schedule, last, this.#steps * epochs);
    return diverged(Math.floor(last / this.#steps), last % this.#steps, rate, what);
  }

  /** A copy of the current values of all initializers that the run changes. */
  #weights(): ReadonlyMap<string, Tensor> {
    const { initializers } = this.#request.model.graph;
    return new Map(
      [...this.#runner.state]
        .filter(([name]) => initializers.has(name) || initializers.has(name.replace(/\.ema$/, "")))
        .map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]),
    );
  }

  /** The graph with the current weights, or with the averaged weights if the run keeps them.
   * @param best weights that take their place. Empty: none */
  #weighed(graph: Graph, best: ReadonlyMap<string, Tensor> = new Map()): Graph {
    const { state: now } = this.#runner;
    const state = best.size > 0 ? best : now;
    const initializers = new Map(graph.initializers);
    for (const [name, old] of graph.initializers) {
      const value = state.get(averageOf(name)) ?? state.get(name);
      if (value) initializers.set(name, { ...old, data: value.data.slice() });
    }
    return { ...graph, initializers };
  }
}

const tooFew = ({ train: { name, count }, config: { batch } }: TrainingRequest): DynnError =>
  new DynnError(
    "training/config",
    `${name}: a batch of ${batch} needs more than the ${count} training records. Choose a smaller batch, or give more data.`,
    { count, batch, options: ["batch"] },
  );
