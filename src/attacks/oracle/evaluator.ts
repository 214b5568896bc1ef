/** @file Answers questions about images. Each loss has one session with a gradient and one without.
 *  A session opens at its first use and is kept while there is room. The graph of a loss holds only
 *  what its exits and its gradient need. */

import { checkGiven } from "../../core/given.js";
import { type ImageDims, imageDims } from "../../core/images.js";
import { Lifetime } from "../../core/lifetime.js";
import { present } from "../../core/present.js";
import { fromNumbers, stackRows, type Tensor } from "../../core/tensor.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { bitOf, forcedBits } from "../../dynamic/route/route.js";
import { nodeMacs } from "../../graph/cost.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { bytesOf } from "../../graph/limits.js";
import { opTable } from "../../ops/table.js";
import type { Backend, Session } from "../../runtime/backend.js";
import type { Loss } from "../losses/loss.js";
import type { Evaluation, Question, Slope } from "../question.js";
import type { Sample } from "../sample.js";
import { asksGates, lossGraph, NAMES, STRAIGHT_THROUGH, scoresBefore } from "./loss-graph.js";
import { type SessionRoom, Sessions } from "./sessions.js";

/** A question of one sample. */
export interface Asked {
  readonly question: Question;
  /** The sample that the attack works on. */
  readonly sample: Sample;
  /** The class that the loss calls the label. */
  readonly label: number;
}

/** The work of one question, in MACs. */
export interface Work {
  readonly forward: number;
  readonly backward: number;
}

/** Some targets of a question, from one place up to another. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Nodes of a graph with the gradients of several targets. ONNX Runtime optimizes graphs with up to
 * 4096 nodes. */
const MOST_NODES = 3072;

interface Built {
  readonly key: string;
  readonly graph: Graph;
  readonly work: Work;
  /** The most questions of one run. */
  readonly rows: number;
}

/** Options of an {@link Evaluator}. */
export interface EvaluatorOptions {
  /** Runs the graphs. */
  readonly backend: Backend;
  /** Limits the memory of the sessions. Left out: all sessions stay open. */
  readonly room?: SessionRoom | undefined;
}

/** Computes losses, gradients and logits of attacked images. It builds the graph of each loss
 * once. */
export class Evaluator {
  readonly #model: DynamicModel;
  readonly #built = new Map<string, Built>();
  readonly #sessions: Sessions;
  readonly #life: Lifetime;

  /** @throws DynnError 'call/argument' */
  constructor(model: DynamicModel, options: EvaluatorOptions) {
    checkGiven("Evaluator", { model, options, backend: options?.backend });
    const sessions = new Sessions(options.backend, options.room);
    this.#model = model;
    this.#sessions = sessions;
    this.#life = new Lifetime(`the evaluator of ${model.name}`, () => sessions.release());
  }

  /** Channels, height and width of the images.
   * @throws DynnError 'shape/unknown' when the model leaves the size open */
  get dims(): ImageDims {
    return imageDims(this.#model);
  }

  /** Answers questions that have one loss in common, and agree on whether to compute a gradient and
   * for how many targets. Replies have the order of the questions.
   * @returns evaluations whose arrays are views into one batch */
  async evaluate(asked: readonly Asked[]): Promise<Evaluation[]> {
    this.#life.check();
    const [{ question }] = asked;
    const { targets } = question;
    if (!targets) return this.#run(asked, question, undefined);
    const runs: Evaluation[][] = [];
    for (const span of this.#spans(targets.length)) runs.push(await this.#run(asked, question, span));
    return asked.map((_, row) => ({ ...runs[0][row], each: runs.flatMap((run) => run[row].each ?? []) }));
  }

  /** The work of one question: a node-by-node count of the graphs that answer it. */
  workOf(question: Question): Work {
    const { targets } = question;
    const spans = targets ? this.#spans(targets.length) : [undefined];
    const works = spans.map((span) => this.#build(question, countOf(span)).work);
    return works.reduce((a, b) => ({ forward: a.forward + b.forward, backward: a.backward + b.backward }));
  }

  /** The targets of a question by the graphs that compute them. Each graph has as many targets as
   * keep it small enough for ONNX Runtime to optimize. */
  #spans(targets: number): Span[] {
    const most = Math.max(1, Math.floor(MOST_NODES / (2 * this.#model.graph.nodes.length)));
    return Array.from({ length: Math.ceil(targets / most) }, (_, i) => ({
      from: i * most,
      to: Math.min((i + 1) * most, targets),
    }));
  }

  async #run(asked: readonly Asked[], question: Question, span: Span | undefined): Promise<Evaluation[]> {
    const { loss, gradient } = question;
    const { key, graph, rows } = this.#build(question, countOf(span));
    return this.#sessions.use(key, graph, async (session) => {
      const found: Evaluation[] = [];
      for (const some of parts(asked, rows)) {
        const results = await session.run(this.#feeds(session, some, span?.from));
        found.push(...some.map((_, i) => this.#evaluation({ loss, gradient }, results, i, span && countOf(span))));
      }
      return found;
    });
  }

  /** Releases the memory of all sessions. A second call does nothing. */
  release(): Promise<void> {
    return this.#life.release();
  }

  /** Releases the memory at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #build(question: Pick<Question, "loss" | "gradient" | "through">, targets: number): Built {
    const { loss, gradient, through = STRAIGHT_THROUGH } = question;
    const passes = gradient && asksGates(this.#model) ? `/${through.kind}/${through.slope ?? 1}` : "";
    const key = `${loss.key}${gradient ? "/gradient" : ""}${targets === 1 ? "" : `/${targets}`}${passes}`;
    const known = this.#built.get(key);
    if (known) return known;
    const graph = lossGraph(this.#model, loss, { gradient, targets, through });
    const forward = gradient ? this.#build({ loss, gradient: false }, targets).work.forward : macsOfGraph(graph);
    const backward = gradient ? macsOfGraph(graph) - forward : 0;
    const built = { key, graph, work: { forward, backward }, rows: rowsInCache(graph) };
    this.#built.set(key, built);
    return built;
  }

  #feeds(session: Session, asked: readonly Asked[], from = 0): Record<string, Tensor> {
    const { dims } = this;
    const feeds: Record<string, Tensor> = {};
    for (const name of session.inputs) {
      if (name === this.#model.input.name)
        feeds[name] = stackRows(
          asked.map((a) => a.question.image),
          dims,
        );
      else feeds[name] = this.#extraFeed(name, asked, dims, from);
    }
    return feeds;
  }

  /** @param from place of the first target of this run among those of a question */
  #extraFeed(name: string, asked: readonly Asked[], dims: readonly number[], from: number): Tensor {
    if (name === NAMES.labels) return classesOf(asked.map(({ label }) => label));
    const place = targetPlace(name);
    if (place !== undefined) return classesOf(asked.map((one) => targetOf(one, from + place)));
    if (name === NAMES.clean)
      return stackRows(
        asked.map(({ sample }) => sample.pixels),
        dims,
      );
    const exit = this.#model.exits.findIndex((_, k) => name === NAMES.cleanLogits(k));
    if (exit >= 0) return stackRows(asked.map(({ sample }) => sample.clean[exit]));
    return stackRows(asked.map(({ question }) => present(extraOf(question, name), `the numbers ${name}`)));
  }

  /** @param targets number of targets, of a question that lists them */
  #evaluation(
    { loss, gradient }: Pick<Question, "loss" | "gradient">,
    results: Readonly<Record<string, Tensor>>,
    row: number,
    targets: number | undefined,
  ): Evaluation {
    const rowOf = (name: ValueName): Float32Array => {
      const { data, dims } = results[name] as Tensor<"float32">;
      const each = data.length / dims[0];
      return data.subarray(row * each, (row + 1) * each);
    };
    const logits = this.#model.exits.map((exit, k) => (loss.exits.includes(k) ? rowOf(exit.logits) : undefined));
    const slope = (k: number): Slope => ({
      loss: rowOf(NAMES.loss(k))[0],
      gradient: gradient ? rowOf(NAMES.gradient(k)) : new Float32Array(0),
    });
    const seen = { logits, ...this.#bits(loss, rowOf), ...(loss.full ? { full: rowOf(NAMES.full) } : {}) };
    if (targets === undefined) return { ...slope(0), ...seen };
    const each = Array.from({ length: targets }, (_, k) => slope(k));
    return { ...each[0], each, ...seen };
  }

  #bits(loss: Loss, rowOf: (name: ValueName) => Float32Array): Pick<Evaluation, "bits"> {
    const { gates } = this.#model;
    if (gates.length === 0) return {};
    const bits = forcedBits(gates.map(({ threshold }) => threshold));
    for (const [k, { score, threshold }] of scoresBefore(this.#model, loss))
      bits[k] = bitOf(rowOf(score)[0], threshold);
    return { bits };
  }
}

/** Bytes of the largest value of a run. Values that leave the caches of the processor make
 * elementwise nodes wait for memory. A gradient of MobileNetV2 at 224 x 224 takes about a tenth
 * less time in runs of 3 images than in one of 16, and less than half of the memory. */
const CACHE_BYTES = 2 ** 24;

/** The number of images whose largest value stays in the cache. */
function rowsInCache({ types }: Graph): number {
  let largest = 1;
  for (const type of types.values()) largest = Math.max(largest, bytesOf(type));
  return Math.max(1, Math.floor(CACHE_BYTES / largest));
}

/** A list in parts of about equal length, each of at most `most`. */
function parts<T>(list: readonly T[], most: number): (readonly T[])[] {
  const count = Math.ceil(list.length / most);
  const start = (i: number): number => Math.round((i * list.length) / count);
  return Array.from({ length: count }, (_, i) => list.slice(start(i), start(i + 1)));
}

const countOf = (span: Span | undefined): number => (span ? span.to - span.from : 1);

/** The place of the targets that an input holds. Undefined for another input. */
function targetPlace(name: string): number | undefined {
  const place = name.slice(NAMES.targets().length + 1);
  return name === NAMES.targets(Number(place)) ? Number(place) : undefined;
}

const targetOf = ({ question, sample }: Asked, place: number): number =>
  present(question.targets ? question.targets[place] : (question.target ?? sample.target), "the target of a question");

const extraOf = ({ extra }: Question, input: string): Float32Array | undefined =>
  Object.entries(extra ?? {}).find(([name]) => NAMES.extra(name) === input)?.[1];

const classesOf = (classes: readonly number[]): Tensor => fromNumbers("int64", [classes.length], classes);

const macsOfGraph = (graph: Graph): number =>
  [...nodeMacs(graph, opTable).values()].reduce((sum, macs) => sum + macs, 0);
