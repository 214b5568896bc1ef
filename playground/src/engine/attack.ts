/** @file Attacks one image and shows every step. The attack is that of the command: the same
 *  configuration and the same seed give the same image. */
import {
  type Asked,
  type AttackConfig,
  type ConfiguredAttack,
  configureAttack,
  type Evaluation,
  Evaluator,
  type Logits,
  NORMS,
  type Policy,
  type Question,
  runAttack,
  type Sample,
  type SampleOutcome,
  seenIn,
  type Work,
} from "dynn/web";
import type { AttackEnd, Frame, LabelledImage } from "../shared/messages.js";
import type { Network } from "./network.js";

/** Frames of one attack, at most. A query method asks thousands of questions. */
const MOST_FRAMES = 240;
/** Bytes that the sessions of attacks may take. */
const ROOM = 2 ** 29;
/** Milliseconds between two frames of a query method. */
const PAUSE_MS = 50;

/** What an attack of the page needs. */
export interface AttackTask {
  readonly network: Network;
  readonly image: LabelledImage;
  readonly config: AttackConfig;
  readonly policy: Policy;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onFrame: (frame: Frame) => void;
}

/** Answers with an evaluator that attacks share. It shows the images that one search asks about. */
class Watched extends Evaluator {
  readonly #shared: Evaluator;
  readonly #onImage: (image: Float32Array, gradient: boolean) => Promise<void>;

  constructor(
    { model, backend }: Network,
    shared: Evaluator,
    onImage: (image: Float32Array, gradient: boolean) => Promise<void>,
  ) {
    super(model, { backend });
    this.#shared = shared;
    this.#onImage = onImage;
  }

  override async evaluate(asked: readonly Asked[]): Promise<Evaluation[]> {
    const replies = await this.#shared.evaluate(asked);
    const [{ question }] = asked;
    if (question.candidate !== false) await this.#onImage(question.image, question.gradient);
    return replies;
  }

  override workOf(question: Question): Work {
    return this.#shared.workOf(question);
  }
}

/** Sessions of the last network. A second attack with the same goal opens none. */
let kept: { readonly network: Network; readonly evaluator: Evaluator } | undefined;

/** Attack one image.
 * @throws DynnError 'attack/config', 'attack/unsupported', or the signal's reason */
export async function attack(task: AttackTask): Promise<AttackEnd> {
  const { network, image, policy, signal, seed } = task;
  const configured = configureAttack(task.config, { model: network.model, policy });
  const sample = sampleOf(image, await network.logits(image.pixels));
  const frames = new Frames(task, configured, sample);
  const evaluator = new Watched(network, await sharedOf(network), (image, gradient) => frames.offer(image, gradient));
  const start = performance.now();
  const [outcome] = await runAttack(configured, [sample], { evaluator, seed, batch: 1, signal, between: turn });
  const ms = performance.now() - start;
  return { ...endOf(outcome, image.pixels), frame: await frames.frameOf(outcome.image), ms };
}

/** The image with what the network says of it, its gates included. */
function sampleOf(image: Pick<Sample, "id" | "pixels" | "label">, logits: Logits): Sample {
  const { logits: _, ...units } = seenIn(logits, 0);
  return { ...image, clean: logits.rows(0), ...units };
}

/** Open the sessions that the first steps of an attack need. */
export async function prepare({
  network,
  config,
  policy,
}: Pick<AttackTask, "network" | "config" | "policy">): Promise<void> {
  const { goal } = configureAttack(config, { model: network.model, policy });
  const evaluator = await sharedOf(network);
  const pixels = new Float32Array(network.model.input.shape.slice(1).reduce<number>((n, d) => n * Number(d), 1));
  const sample = sampleOf({ id: 0, pixels, label: 0 }, await network.logits(pixels));
  const [loss] = goal.losses;
  for (const gradient of [true, false])
    await evaluator.evaluate([{ question: { image: pixels, loss, gradient }, sample, label: 0 }]);
}

async function sharedOf(network: Network): Promise<Evaluator> {
  if (kept?.network === network) return kept.evaluator;
  await kept?.evaluator.release();
  const evaluator = new Evaluator(network.model, { backend: network.backend, room: { bytes: ROOM, batch: 1 } });
  kept = { network, evaluator };
  return evaluator;
}

/** Lets the worker receive messages between two steps. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Makes frames from the images of a search, and leaves out those that come too fast. */
class Frames {
  readonly #task: AttackTask;
  readonly #attack: ConfiguredAttack;
  readonly #sample: Sample;
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;

  constructor(task: AttackTask, attack: ConfiguredAttack, sample: Sample) {
    this.#task = task;
    this.#attack = attack;
    this.#sample = sample;
  }

  /** Show an image of the search. A gradient method also asks about images between its steps. */
  async offer(image: Float32Array, gradient: boolean): Promise<void> {
    const now = performance.now();
    const follows = this.#attack.method.access === "gradient" ? gradient : now - this.#last >= PAUSE_MS;
    if (!follows || this.#count >= MOST_FRAMES) return;
    this.#last = now;
    this.#count++;
    this.#task.onFrame(await this.frameOf(image));
  }

  /** The image as it is and as an 8-bit file would hold it. */
  async frameOf(image: Float32Array): Promise<Frame> {
    const { network, policy } = this.#task;
    const both = new Float32Array(2 * image.length);
    both.set(image);
    both.set(image.map(eightBits), image.length);
    const logits = await network.logits(both, 2);
    const fools = (i: number): boolean => this.#attack.goal.succeeded(this.#sample, seenIn(logits, i));
    return {
      pixels: both.slice(0, image.length),
      reading: network.readings(logits, policy)[0],
      success: fools(0),
      rounded: fools(1),
    };
  }
}

const eightBits = (value: number): number => Math.round(value * 255) / 255;

const endOf = ({ eligible, image, spent }: SampleOutcome, clean: Float32Array) => ({
  eligible,
  queries: spent.queries,
  gradients: spent.gradients,
  macs: spent.forwardMacs + spent.backwardMacs,
  linf: NORMS.linf.distance(image, clean),
  l2: NORMS.l2.distance(image, clean),
  changed: NORMS.l0.distance(image, clean),
});
