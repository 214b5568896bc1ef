/** @file One input through everything that takes a model file: reading, shape inference, simplifying, the model contract, gradients,
 *  writing, and ONNX Runtime's session. Each stage ends in success or a DynnError; whatever else is thrown goes through. */
import { modelGradient } from "../../src/autodiff/model-gradient.js";
import { inspect } from "../../src/cli/inspect/command.js";
import { DynnError } from "../../src/core/errors.js";
import { dynamicModel, type ModelOptions } from "../../src/dynamic/model/model.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { simplify } from "../../src/graph/passes/simplify.js";
import { printGraph } from "../../src/graph/printer.js";
import { loadModel } from "../../src/node/onnx-files.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { opTable } from "../../src/ops/table.js";

/** For each stage that was reached "ok" or the code of its error. */
export type Verdict = Readonly<Record<string, string>>;

export interface Probed {
  readonly verdict: Verdict;
  /** The stage that took most processor time. */
  readonly slowest: { readonly stage: string; readonly ms: number };
}

const backend = ortNode({ threads: 1 });

/** Ways to read a file that options choose. Each input meets one of them: heads by name, an image size, what is put in front of the pixels. */
function readings({ inputs, outputs }: Graph): readonly (readonly [stage: string, ModelOptions])[] {
  const [first, ...more] = outputs.map(({ name }) => name);
  const channels = inputs[0]?.shape?.map((d) => (typeof d === "number" && d > 0 && d < 5 ? d : 3)).at(1) ?? 3;
  const each = (value: number): number[] => new Array<number>(channels).fill(value);
  return [
    ["dynamic, final named", { final: first }],
    ["dynamic, exits named", { exits: [first ?? ""], final: more.at(-1) }],
    ["dynamic, image size", { imageSize: [8, 8] }],
    ["dynamic, normalised", { normalization: { mean: each(0.5), std: each(0.25) }, channels: "bgr" }],
    ["dynamic, normalised for 255", { normalization: { mean: each(120), std: each(60) }, forceNormalization: true }],
  ];
}

/** Processor time of this process so far. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export interface ProbeOptions {
  /** Also make sessions of what is accepted: slower by far. */
  readonly sessions: boolean;
  /** Where the bytes lie, to load them from there too. */
  readonly path?: string | undefined;
  /** Told of each stage before it begins, for those who find the process dead. */
  readonly begins?: (stage: string) => void;
}

export async function probe(bytes: Uint8Array, { sessions, path, begins }: ProbeOptions): Promise<Probed> {
  const verdict: Record<string, string> = {};
  let slowest = { stage: "", ms: 0 };
  const stage = async <T>(name: string, work: () => T | Promise<T>): Promise<T | undefined> => {
    begins?.(name);
    const start = processorMs();
    try {
      const result = await work();
      verdict[name] = "ok";
      return result;
    } catch (error) {
      if (!(error instanceof DynnError)) throw new Error(`stage ${name}: ${error}`, { cause: error });
      verdict[name] = error.code;
      return undefined;
    } finally {
      const ms = processorMs() - start;
      if (ms > slowest.ms) slowest = { stage: name, ms };
    }
  };
  const session = async (name: string, graph: Graph | undefined) =>
    graph && sessions
      ? stage(name, async () => {
          const made = await backend.compile(graph);
          await made.release();
        })
      : undefined;

  if (path !== undefined) await stage("load", () => loadModel(path));
  const model = await stage("read", () => readModel(bytes, { external: () => new Uint8Array(64) }));
  if (!model) return { verdict, slowest };
  await stage("print", () => printGraph(model.graph));
  await stage("write", () => writeModel(model));
  const typed = await stage("infer", () => inferShapes(model.graph, opTable));
  if (typed) await stage("simplify", () => simplify(typed, opTable));
  const dynamic = await stage("dynamic", () => dynamicModel(model));
  await session("session", dynamic?.graph);
  if (dynamic) {
    await stage("inspect", () => inspect(dynamic));
    await stage("write again", () => writeModel({ graph: dynamic.source }));
    await stage("write for an engine", () => writeModel({ graph: dynamic.graph }));
  }
  const ways = readings(model.graph);
  const [name, options] = ways[bytes.length % ways.length];
  await stage(name, () => dynamicModel(model, options));
  for (const loss of ["sum", "cross-entropy"] as const) {
    const made = await stage(`gradient ${loss}`, () => modelGradient(model.graph, opTable, { loss }));
    await session(`gradient session ${loss}`, made?.graph);
  }
  return { verdict, slowest };
}
