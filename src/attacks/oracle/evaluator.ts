/** @file Answers questions about images. Each loss has one session with a gradient and one without.
 *  A session opens at its first use and is kept while there is room. The graph of a loss holds only
 *  what its exits and its gradient need. */

import { type ImageDims, imageDims } from "../../core/images.js";
import { present } from "../../core/present.js";
import { fromNumbers, stackRows, type Tensor } from "../../core/tensor.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { nodeMacs } from "../../graph/cost.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { opTable } from "../../ops/table.js";
import type { Backend, Session } from "../../runtime/backend.js";
import type { Loss } from "../losses/loss.js";
import type { Evaluation, Question } from "../question.js";
import type { Sample } from "../sample.js";
import { lossGraph, NAMES } from "./loss-graph.js";
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

interface Built {
  readonly key: string;
  readonly graph: Graph;
  readonly work: Work;
}

/** Computes losses, gradients and logits of attacked images. It builds the graph of each loss
 * once. */
export class Evaluator {
  readonly #model: DynamicModel;
  readonly #built = new Map<string, Built>();
  readonly #sessions: Sessions;

  /** @param room limits the memory of the sessions. Left out: all sessions stay open */
  constructor(model: DynamicModel, backend: Backend, room?: SessionRoom) {
    this.#model = model;
    this.#sessions = new Sessions(backend, room);
  }

  /** Channels, height and width of the images.
   * @throws DynnError 'shape/unknown' when the model leaves the size open */
  get dims(): ImageDims {
    return imageDims(this.#model);
  }

  /** Answers questions that have one loss in common and agree on whether to compute a gradient.
   * Replies have the order of the questions.
   * @returns evaluations whose arrays are views into one batch */
  async evaluate(asked: readonly Asked[]): Promise<Evaluation[]> {
    const [{ question }] = asked;
    const { key, graph } = this.#build(question.loss, question.gradient);
    const results = await this.#sessions.use(key, graph, (session) => session.run(this.#feeds(session, asked)));
    return asked.map((_, row) => this.#evaluation(question, results, row));
  }

  /** The work of one question: a node-by-node count of the graph that answers it. */
  workOf({ loss, gradient }: Question): Work {
    return this.#build(loss, gradient).work;
  }

  /** Releases the memory of all sessions. */
  release(): Promise<void> {
    return this.#sessions.release();
  }

  #build(loss: Loss, gradient: boolean): Built {
    const key = `${loss.key}${gradient ? "/gradient" : ""}`;
    const known = this.#built.get(key);
    if (known) return known;
    const graph = lossGraph(this.#model, loss, gradient);
    const forward = gradient ? this.#build(loss, false).work.forward : macsOfGraph(graph);
    const backward = gradient ? macsOfGraph(graph) - forward : 0;
    const built = { key, graph, work: { forward, backward } };
    this.#built.set(key, built);
    return built;
  }

  #feeds(session: Session, asked: readonly Asked[]): Record<string, Tensor> {
    const { dims } = this;
    const feeds: Record<string, Tensor> = {};
    for (const name of session.inputs) {
      if (name === this.#model.input.name)
        feeds[name] = stackRows(
          asked.map((a) => a.question.image),
          dims,
        );
      else feeds[name] = this.#extraFeed(name, asked, dims);
    }
    return feeds;
  }

  #extraFeed(name: string, asked: readonly Asked[], dims: readonly number[]): Tensor {
    if (name === NAMES.labels) return classesOf(asked.map(({ label }) => label));
    if (name === NAMES.targets)
      return classesOf(
        asked.map(({ question, sample }) => present(question.target ?? sample.target, "the target of a question")),
      );
    if (name === NAMES.clean)
      return stackRows(
        asked.map(({ sample }) => sample.pixels),
        dims,
      );
    const exit = this.#model.exits.findIndex((_, k) => name === NAMES.cleanLogits(k));
    if (exit >= 0) return stackRows(asked.map(({ sample }) => sample.clean[exit]));
    return stackRows(asked.map(({ question }) => present(extraOf(question, name), `the numbers ${name}`)));
  }

  #evaluation({ loss, gradient }: Question, results: Readonly<Record<string, Tensor>>, row: number): Evaluation {
    const rowOf = (name: ValueName): Float32Array => {
      const { data, dims } = results[name] as Tensor<"float32">;
      const each = data.length / dims[0];
      return data.subarray(row * each, (row + 1) * each);
    };
    const logits = this.#model.exits.map((exit, k) => (loss.exits.includes(k) ? rowOf(exit.logits) : undefined));
    return {
      loss: rowOf(NAMES.loss)[0],
      gradient: gradient ? rowOf(NAMES.gradient) : new Float32Array(0),
      logits,
    };
  }
}

const extraOf = ({ extra }: Question, input: string): Float32Array | undefined =>
  Object.entries(extra ?? {}).find(([name]) => NAMES.extra(name) === input)?.[1];

const classesOf = (classes: readonly number[]): Tensor => fromNumbers("int64", [classes.length], classes);

const macsOfGraph = (graph: Graph): number =>
  [...nodeMacs(graph, opTable).values()].reduce((sum, macs) => sum + macs, 0);
