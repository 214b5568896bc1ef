/** @file The executor runs a dynamic model exit by exit. It removes a sample from the batch when an
 *  exit fires. Its answers equal the answers of `route` on the logits of all exits. */
import { DynnError } from "../../../core/errors.js";
import { checkGiven } from "../../../core/given.js";
import { Images, imageDims, pixelsOf } from "../../../core/images.js";
import { Lifetime } from "../../../core/lifetime.js";
import { checkPixels } from "../../../core/pixels.js";
import type { Backend } from "../../../runtime/backend.js";
import { batchFor } from "../../../runtime/batch.js";
import { type Policy, singleExitPolicy } from "../../../schema/policy.js";
import type { DynamicModel } from "../../model/model.js";
import { underPolicy } from "../../model/under-policy.js";
import { type Named, named } from "../../route/named.js";
import { checkPolicy } from "../../route/policy.js";
import { forcedBits } from "../../route/route.js";
import { checkOutputs } from "../outputs.js";
import { bestEngine, ENGINES, type Engine, type EngineName } from "./engines.js";
import { type ImageSource, Intake } from "./intake.js";
import type { Answered, SampleQueue, StageAnswer, StageRun } from "./sample-queue.js";

export type { EngineName } from "./engines.js";
export type { ImageSource } from "./intake.js";
export type { StageRun } from "./sample-queue.js";

/** The network's answer for one image. `stop` and `answer` are exits of the model. `logits` are the
 * logits of the answering exit. */
export interface Answer extends StageAnswer, Named {}

/** Options of an executor. */
export interface ExecutorOptions {
  /** Runs the stages. */
  readonly backend: Backend;
  /** Decides when to stop. The default is the model's own policy. */
  readonly policy?: Policy | undefined;
  /** Largest number of samples in one run of a stage. It changes time and memory, not answers. Left
   * out: as many as the memory allows, at most 64. */
  readonly batch?: number | undefined;
  /** staged: one session for each stage. Samples of many batches are packed together between
   * stages. conditional: one session whose graph skips the rest of the network behind each exit. It
   * needs a backend that runs `If` and the fallback final. The default is the faster engine that
   * fits. */
  readonly engine?: EngineName | undefined;
  /** Called with the number of rows after each run of a stage. */
  readonly onRun?: ((run: StageRun) => void) | undefined;
}

/** Options of {@link Executor.classify}. */
export interface ClassifyOptions {
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of images that have an answer, and the number of all images. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Makes an executor. Each weight is in memory once.
 * @throws DynnError 'memory/batch' when a run would not fit into the free memory, 'cli/value'
 * @throws DynnError 'policy/value' when neither model nor options give a policy that fits
 * @throws DynnError 'shape/unknown' when the image size is open
 * @throws DynnError 'runtime/load' when the backend cannot load the model
 * @example
 * ```ts
 * import { createExecutor, load, ortNode } from "dynn/node";
 *
 * const executor = await createExecutor(await load("model.onnx"), { backend: ortNode() });
 * const gray = new Float32Array(2 * 3 * 32 * 32).fill(0.5);
 * for (const { className, exitName, costFraction } of await executor.classify(gray))
 *   console.log(className, exitName, costFraction);
 * await executor.release();
 * ```
 */
export async function createExecutor(given: DynamicModel, options: ExecutorOptions): Promise<Executor> {
  checkGiven("createExecutor", { model: given, options, backend: options?.backend });
  const { name, graph } = given;
  const { batch } = batchFor({ name, graph, backend: options.backend, batch: options.batch });
  const checked = await checkOutputs(given, { backend: options.backend });
  const policy = policyOf(checked, options.policy);
  const model = underPolicy(checked, policy);
  const engine = options.engine ?? bestEngine(model, policy, options.backend);
  if (engine === "conditional" && policy.fallback !== "final")
    throw new DynnError(
      "policy/value",
      `${model.name}: the conditional engine runs only the fallback final, and the policy has ${policy.fallback}. Use the engine staged, or leave the option out.`,
      { engine, fallback: policy.fallback },
    );
  return new Executor(model, await ENGINES[engine](model, policy, { ...options, batch }), batch);
}

/** The policy of a run: the given policy, else the model's own. A model with one exit needs none.
 * @throws DynnError 'policy/value' when the model needs a policy and has none, when a threshold is
 *  out of range, or when the number of thresholds is wrong */
export function policyOf(model: DynamicModel, given: Policy | undefined): Policy {
  const policy = given ?? model.policy;
  if (!policy && model.exits.length === 1) return singleExitPolicy();
  if (!policy)
    throw new DynnError(
      "policy/value",
      `${model.name}: the file has no policy, and none is given. Choose one with \`dynn calibrate\`, or give rule and thresholds.`,
      { model: model.name },
    );
  checkPolicy(policy, { exits: model.exits.length, classes: model.classes, gates: model.gates.length }, model.name);
  return policy;
}

/** Runs a dynamic model stage by stage. A sample whose exit fires takes no part in later stages. */
export class Executor {
  readonly #model: DynamicModel;
  readonly #engine: Engine;
  readonly #batch: number;
  readonly #life: Lifetime;

  /** Use {@link createExecutor}, which chooses the engine and the batch. */
  constructor(model: DynamicModel, engine: Engine, batch: number) {
    this.#model = model;
    this.#engine = engine;
    this.#batch = batch;
    this.#life = new Lifetime(`the executor of ${model.name}`, () => engine.release());
    imageDims(model);
  }

  /** Classify images.
   * @param given images, or float32 [n*c*h*w] in [0,1]
   * @returns one answer per image, in order
   * @throws DynnError 'data/shape', 'data/value', 'runtime/run', or the signal's reason when
   *  aborted
   * @throws DynnError 'call/argument', 'call/released' */
  async classify(given: Float32Array | Images, { signal, onProgress }: ClassifyOptions = {}): Promise<Answer[]> {
    const images = pixelsOf("executor.classify", given);
    const total = Images.for(this.#model, images).count;
    const answers: Answer[] = [];
    for await (const some of this.#answered([images])) {
      signal?.throwIfAborted();
      answers.push(...some);
      onProgress?.(answers.length, total);
    }
    return answers;
  }

  /** Classifies images as they arrive. Answers have the order of the images. The executor takes
   * images from the source only as fast as the caller takes answers. A batch waits for more images
   * only while the source gives them at once.
   * @throws as {@link classify}, and every error of the source */
  async *stream(source: ImageSource): AsyncGenerator<Answer> {
    for await (const some of this.#answered(source)) yield* some;
  }

  /** The answers in order, in groups: all answers that are ready. */
  async *#answered(source: ImageSource): AsyncGenerator<readonly Answer[]> {
    const queue = this.#engine.openQueue();
    const batch = this.#batch;
    const intake = new Intake(source);
    const done = new Map<number, Answer>();
    let held: Images | undefined;
    let [entered, given] = [0, 0];
    try {
      this.#life.check();
      while (held || !intake.ended || !queue.empty) {
        const room = queue.waiting < batch && entered - given < MOST_BATCHES * batch;
        if (room && !held && !intake.ended) held = this.#checked(await intake.take(queue.empty), entered);
        if (room && held) {
          entered += this.#enter(queue, held.rows(0, batch), entered);
          held = held.count > batch ? held.rows(batch, held.count) : undefined;
        } else for (const { index, answer } of await this.#run(queue)) done.set(index, named(this.#model, answer));
        const ready: Answer[] = [];
        for (let answer = done.get(given); answer; answer = done.get(given)) {
          done.delete(given++);
          ready.push(answer);
        }
        if (ready.length > 0) yield ready;
        if (given < entered && queue.empty) throw new Error(`bug: image ${given} has no answer`);
      }
      intake.rethrow();
    } finally {
      await intake.close();
    }
  }

  /** Releases the memory of all stages. A second call does nothing. Calls that still run are
   * refused. */
  release(): Promise<void> {
    return this.#life.release();
  }

  /** Releases the memory at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** @throws DynnError 'call/released', 'runtime/run' */
  #run(queue: SampleQueue): Promise<Answered[]> {
    this.#life.check();
    return queue.run();
  }

  /** New images. All of them are checked before work begins on the first.
   * @throws DynnError 'data/shape', 'data/value' */
  #checked(pixels: Float32Array | undefined, first: number): Images | undefined {
    if (pixels === undefined) return undefined;
    const images = Images.for(this.#model, pixels);
    const records = Uint32Array.from({ length: images.count }, (_, i) => first + i);
    checkPixels({ name: "images", pixels }, images.size, records);
    return images.count > 0 ? images : undefined;
  }

  /** Puts images into the queue, at most one batch. */
  #enter(queue: SampleQueue, { data, count, dims }: Images, first: number): number {
    const bits = () => forcedBits(this.#model.gates.map(({ threshold }) => threshold));
    queue.enter({
      tickets: Array.from({ length: count }, (_, i) => ({ index: first + i, readings: [], logits: [], bits: bits() })),
      values: { [this.#model.input.name]: { dtype: "float32", dims: [count, ...dims], data } },
    });
    return count;
  }
}

/** Largest number of batches in work. An image counts while it waits, and while its answer waits
 * for the answer of an earlier image. */
const MOST_BATCHES = 8;
