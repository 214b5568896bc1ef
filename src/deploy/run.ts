/** @file Runs an export on images to get its answers: the parts of a bundle one after the other, or
 *  a conditional graph. */
import type { Images } from "../core/images.js";
import { type GateScores, Logits } from "../core/logits.js";
import type { Tensor } from "../core/tensor.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { route, withBits } from "../dynamic/route/route.js";
import { CONDITIONAL_OUTPUTS } from "../dynamic/run/conditional/index.js";
import { bitsOfRow } from "../dynamic/run/executor/conditional.js";
import type { Graph } from "../graph/graph.js";
import type { Backend, Session, Tensors } from "../runtime/backend.js";
import { gateThresholds } from "../schema/policy.js";
import type { Bundle } from "./bundle.js";
import type { Manifest } from "./manifest.js";
import type { FoundAnswer } from "./verify.js";

/** Images in batches: first one image alone, as most devices see them, then batches of `batch`
 * images. */
export interface Batches {
  readonly images: Images;
  readonly batch: number;
  /** Called after each batch with the number of images done. */
  readonly onBatch: (done: number) => void;
}

/** The answers of a bundle: every part runs on every image, and the manifest's policy chooses the
 * exit. */
export async function runBundle(
  { manifest, parts }: Bundle,
  backend: Backend,
  batches: Batches,
): Promise<FoundAnswer[]> {
  const sessions = await compileAll(
    parts.map(({ graph }) => graph),
    backend,
  );
  const { input, classes, policy } = manifest;
  try {
    return await inBatches(batches, async (image) => {
      let known: Tensors = { [input.name]: image };
      for (const session of sessions) known = { ...known, ...(await session.run(only(known, session.inputs))) };
      const exits = parts.flatMap((part) => part.exits.map((exit) => (known[exit.logits] as Tensor<"float32">).data));
      const logits = new Logits(exits, classes.count, scoresOf(manifest, known, image.dims[0]));
      return route(logits, policy).map(({ answer, ...routed }, i) => {
        const all = logits.rows(i);
        return { stop: routed.stop, label: routed.label, gates: routed.gates, logits: all[answer], all };
      });
    });
  } finally {
    await Promise.all(sessions.map((session) => session.release()));
  }
}

/** The scores of all gates. No part gives the score of a forced gate, and 0 stands for it. */
function scoresOf({ gates = [], parts, policy }: Manifest, known: Tensors, count: number): GateScores[] {
  const named = new Map(parts.flatMap((part) => (part.gates ?? []).map(({ gate, score }) => [gate, score] as const)));
  const thresholds = gateThresholds(policy, gates.length);
  return gates.map(({ exit }, k) => {
    const score = named.get(k);
    const scores = score === undefined ? new Float32Array(count) : (known[score] as Tensor<"float32">).data;
    return { exit, threshold: thresholds[k], scores };
  });
}

/** The answers of a conditional graph. */
export async function runConditional(
  graph: Graph,
  { gates }: Pick<DynamicModel, "gates">,
  backend: Backend,
  batches: Batches,
): Promise<FoundAnswer[]> {
  const behind = gates.map(({ exit }) => exit);
  const session = await backend.compile(graph);
  const [input] = session.inputs as [string];
  try {
    return await inBatches(batches, async (image) => {
      const results = await session.run({ [input]: image });
      const of = (output: keyof typeof CONDITIONAL_OUTPUTS) => results[CONDITIONAL_OUTPUTS[output]];
      const [answers, exits, labels] = [of("logits"), of("exit"), of("label")] as [
        Tensor<"float32">,
        Tensor<"int64">,
        Tensor<"int64">,
      ];
      const logits = new Logits([answers.data], answers.dims[1]);
      return Array.from(exits.data, (exit, i) => {
        const [stop, label] = [Number(exit), Number(labels.data[i])];
        const path = withBits({ stop }, bitsOfRow(results, i, gates.length), behind);
        return { ...path, label, logits: logits.row(0, i) };
      });
    });
  } finally {
    await session.release();
  }
}

async function compileAll(graphs: readonly Graph[], backend: Backend): Promise<Session[]> {
  const sessions: Session[] = [];
  try {
    for (const graph of graphs) sessions.push(await backend.compile(graph));
  } catch (error) {
    await Promise.all(sessions.map((session) => session.release()));
    throw error;
  }
  return sessions;
}

const only = (known: Tensors, names: readonly string[]): Tensors =>
  Object.fromEntries(names.map((name) => [name, known[name]]));

async function inBatches<T>(
  { images, batch, onBatch }: Batches,
  run: (image: Tensor<"float32">) => Promise<readonly T[]>,
): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < images.count; from = results.length) {
    const { data, count, dims } = images.rows(from, from === 0 ? 1 : from + batch);
    results.push(...(await run({ dtype: "float32", dims: [count, ...dims], data })));
    onBatch(results.length);
  }
  return results;
}
