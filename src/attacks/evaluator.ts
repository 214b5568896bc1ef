/** @file Runs evaluations. Each loss has one session with a gradient and one without. A session is
 *  compiled at its first use and kept. The graph of a loss holds only what its exits and its
 *  gradient need. */

import { gradientGraph } from "../autodiff/gradient.js";
import { targetsOf } from "../autodiff/losses.js";
import { imageDims } from "../core/images.js";
import { present } from "../core/present.js";
import { stackRows, type Tensor } from "../core/tensor.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph, ValueName } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import { prune } from "../graph/passes/prune.js";
import { opTable } from "../ops/table.js";
import type { Backend, Session } from "../runtime/backend.js";
import type { Evaluation, Loss, Objective, Query, Sample } from "./attack.js";

const NAMES = { labels: "dynn_labels", clean: "dynn_clean", loss: "dynn_loss", gradient: "dynn_gradient" } as const;

/** The request of one sample. */
export interface EvaluationRequest {
  /** The image and the loss to evaluate. */
  readonly query: Query;
  /** The sample that the attack works on. */
  readonly sample: Sample;
}

/** Computes losses, gradients and logits of attacked images. It compiles each loss once. */
export class Evaluator {
  readonly #model: DynamicModel;
  readonly #backend: Backend;
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(model: DynamicModel, backend: Backend) {
    this.#model = model;
    this.#backend = backend;
  }

  /** Evaluates requests that have one loss in common and agree on whether to compute a gradient.
   * Results have the order of the requests.
   * @returns evaluations whose arrays are views into one batch */
  async evaluate(objective: Objective, requests: readonly EvaluationRequest[]): Promise<Evaluation[]> {
    const { loss: index, gradient } = requests[0].query;
    const loss = objective.losses[index];
    const session = await this.#session(loss, gradient);
    const results = await session.run(this.#feeds(session, objective, requests));
    return requests.map((_, row) => this.#evaluation(loss, results, row, gradient));
  }

  /** Releases the memory of all sessions. */
  async release(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) await (await session).release();
  }

  #session(loss: Loss, gradient: boolean): Promise<Session> {
    const key = `${loss.key}${gradient ? "/gradient" : ""}`;
    const known = this.#sessions.get(key);
    if (known) return known;
    const compiled = this.#backend.compile(lossGraph(this.#model, loss, gradient));
    this.#sessions.set(key, compiled);
    return compiled;
  }

  #feeds(session: Session, objective: Objective, requests: readonly EvaluationRequest[]): Record<string, Tensor> {
    const dims = imageDims(this.#model);
    const images = requests.map((r) => r.query.image);
    const feeds: Record<string, Tensor> = { [this.#model.input.name]: stackRows(images, dims) };
    if (session.inputs.includes(NAMES.clean)) {
      const clean = requests.map((r) => r.sample.pixels);
      feeds[NAMES.clean] = stackRows(clean, dims);
    }
    if (session.inputs.includes(NAMES.labels))
      feeds[NAMES.labels] = {
        dtype: "int64",
        dims: [requests.length],
        data: BigInt64Array.from(requests, (r) => BigInt(objective.label(r.sample))),
      };
    return feeds;
  }

  #evaluation(loss: Loss, results: Readonly<Record<string, Tensor>>, row: number, gradient: boolean): Evaluation {
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

/** The part of the model's graph that computes a loss and the logits of its exits. With `gradient`,
 * it also computes the gradient with respect to the image. */
export function lossGraph(model: DynamicModel, loss: Loss, gradient: boolean): Graph {
  const builder = new GraphBuilder(model.graph);
  const keep = loss.exits.map((k) => present(model.exits[k], `exit ${k}`).logits);
  let oneHot: ValueName | undefined;
  let clean: ValueName | undefined;
  const value = loss.build({
    builder,
    image: model.input.name,
    classes: model.classes,
    logits: (k) => present(model.exits[k], `exit ${k}`).logits,
    oneHot: () =>
      (oneHot ??= targetsOf(
        builder,
        builder.input(NAMES.labels, "int64", model.input.shape.slice(0, 1)),
        model.classes,
      )),
    clean: () => (clean ??= builder.input(NAMES.clean, "float32", model.input.shape)),
    std: model.normalization?.std ?? [1],
  });
  builder.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [NAMES.loss], attributes: {} });
  const forward = inferShapes(builder.build(), opTable);
  if (gradient)
    return gradientGraph(forward, opTable, {
      loss: NAMES.loss,
      wrt: [model.input.name],
      names: [NAMES.gradient],
      keep,
    });
  const outputs = [...keep, NAMES.loss].map((name) => ({
    name,
    dtype: "float32" as const,
    shape: forward.types.get(name)?.shape,
  }));
  return prune({ ...forward, outputs });
}
