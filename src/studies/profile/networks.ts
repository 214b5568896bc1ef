/** @file The networks that a profile times: the static network of the same weights, a baseline, and
 *  the dynamic network under many policies. */

import type { Images } from "../../core/images.js";
import { fitData } from "../../data/fit.js";
import { backboneOf } from "../../dynamic/model/exits.js";
import type { DynamicModel, Exit } from "../../dynamic/model/model.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { createExecutor } from "../../dynamic/run/executor/index.js";
import { Forward } from "../../dynamic/run/forward.js";
import { checkOutputs } from "../../dynamic/run/outputs.js";
import { macsOf, nodeMacs, parameterCount } from "../../graph/cost.js";
import { accuracy } from "../../measures/accuracy.js";
import { opTable } from "../../ops/table.js";
import type { Backend } from "../../runtime/backend.js";
import { ALWAYS_OPEN } from "../../schema/policy.js";
import type { ProfiledNetwork } from "../../schema/profile-record.js";
import { labelsOf } from "../audit/tally.js";
import type { ProfileOptions } from "./options.js";
import type { Point } from "./points.js";
import type { Contestant, Runner } from "./timing.js";

/** A static network, ready for timing. */
export interface Network {
  readonly model: DynamicModel;
  readonly accuracy: ProfiledNetwork["accuracy"];
  readonly contestant: Contestant;
}

/** The model up to its final exit alone, with every block. The heads of early exits and the
 * networks of gates are neither computed nor counted.
 * @throws DynnError 'shape/unknown' */
export function staticOf(model: DynamicModel): DynamicModel {
  const open = { thresholds: model.gates.map(() => ALWAYS_OPEN) };
  const graph = backboneOf(underPolicy(model, { gates: open }).graph);
  const final = model.exits.at(-1) as Exit;
  const macs = macsOf(graph, [final.logits], nodeMacs(graph, opTable));
  return {
    ...model,
    graph,
    exits: [{ ...final, macs, baseMacs: macs, costFraction: 1 }],
    gates: [],
    parameters: parameterCount(graph),
    policy: undefined,
  };
}

/** The static network of the same weights and, where one is given, the baseline; each in one
 * session for every batch size.
 * @param forwards what is compiled is added here, to be released whatever happens
 * @throws DynnError 'runtime/load', 'runtime/run', 'shape/unknown', 'data/shape', 'data/label' */
export async function compileNetworks(
  { model, baseline, backend, batches, data, signal }: ProfileOptions,
  images: Images,
  forwards: Forward[],
): Promise<Network[]> {
  const networks: Network[] = [];
  for (const source of baseline ? [model, baseline] : [model]) {
    const single = staticOf(source === model ? model : await checkOutputs(source, backend, images));
    const { labels } = fitData(source, data);
    const forward = await Forward.compile(single, backend);
    forwards.push(forward);
    const runner =
      (batch: number): Runner =>
      (some, stop) =>
        forward.logits(some, { batch, signal: stop });
    const logits = await forward.logits(images, { batch: batches.at(-1) as number, signal });
    networks.push({
      model: single,
      accuracy: accuracy(labels, labelsOf(logits, 0)),
      contestant: { latency: true, runners: new Map(batches.map((batch) => [batch, runner(batch)])) },
    });
  }
  return networks;
}

/** The dynamic network under one policy. Chosen points are timed at every batch size, points of a
 * sweep at the largest one.
 * @throws DynnError 'runtime/load' */
export async function pointContestant(
  model: DynamicModel,
  { policy, kind }: Point,
  batches: readonly number[],
  backend: Backend,
): Promise<Contestant> {
  const runners = new Map<number, Runner>();
  for (const batch of kind === "chosen" ? batches : batches.slice(-1)) {
    const executor = await createExecutor(model, { backend, policy, batch });
    runners.set(batch, ({ data }, signal) => executor.classify(data, { signal }));
  }
  return { latency: kind === "chosen", runners };
}
