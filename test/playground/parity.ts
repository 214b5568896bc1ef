/** @file Twenty attacks that run in Node and in the page. The two builds of ONNX Runtime round differently. Where a ReLU's input is so near
 *  zero that its sign differs, the gradients differ by more than rounding, and the images part. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { AttackEnd } from "../../playground/src/shared/messages.js";
import type { Asked, AttackConfig, Backend, Evaluation, Graph } from "../../src/index.js";
import {
  configureAttack,
  Evaluator,
  load,
  openDataset,
  ortNode,
  runAttack,
  samples,
  subset,
} from "../../src/node/index.js";
import { ortWeb } from "../../src/web/index.js";

const ball = (radius: string) => ({ norm: "linf", radius }) as const;

/** Goals, methods and norms of many kinds, each with an image. */
export const ATTACKS: readonly (AttackConfig & { readonly image: number; readonly seed: number })[] = [
  { name: "slow 156", goal: "slowdown", method: "pgd", ...ball("2/255"), steps: 20, image: 156, seed: 0 },
  { name: "slow 33", goal: "slowdown", method: "pgd", ...ball("4/255"), steps: 20, image: 33, seed: 1 },
  { name: "slow 21", goal: "slowdown", method: "pgd", ...ball("8/255"), steps: 10, image: 21, seed: 2 },
  { name: "slow 13, in vain", goal: "slowdown", method: "pgd", ...ball("1/255"), steps: 8, image: 13, seed: 0 },
  { name: "early 156", goal: "early:margin", method: "pgd", ...ball("2/255"), steps: 20, image: 156, seed: 0 },
  { name: "early 16", goal: "early:margin", method: "pgd", ...ball("4/255"), steps: 20, image: 16, seed: 3 },
  {
    name: "early 11, L2",
    goal: "early:margin",
    method: "pgd",
    norm: "l2",
    radius: "128/255",
    steps: 20,
    image: 11,
    seed: 0,
  },
  { name: "wrong 156", goal: "routed", method: "pgd", ...ball("2/255"), steps: 20, image: 156, seed: 0 },
  { name: "wrong 2", goal: "routed", method: "pgd", ...ball("2/255"), steps: 20, image: 2, seed: 4 },
  { name: "final 7", goal: "misclassify:final", method: "pgd", ...ball("2/255"), steps: 10, image: 7, seed: 0 },
  { name: "final 12, FGSM", goal: "misclassify:final", method: "fgsm", ...ball("8/255"), image: 12, seed: 0 },
  {
    name: "final 17, L2",
    goal: "misclassify:final",
    method: "pgd",
    norm: "l2",
    radius: "64/255",
    steps: 10,
    image: 17,
    seed: 5,
  },
  { name: "average 31", goal: "average", method: "pgd", ...ball("2/255"), steps: 10, image: 31, seed: 0 },
  { name: "max 34", goal: "max", method: "pgd", ...ball("2/255"), steps: 5, image: 34, seed: 0 },
  { name: "momentum 36", goal: "slowdown", method: "mim", ...ball("4/255"), steps: 10, image: 36, seed: 0 },
  { name: "slow 37, L1", goal: "slowdown", method: "slide", norm: "l1", radius: 8, steps: 10, image: 37, seed: 0 },
  { name: "closest 26", goal: "misclassify:final", method: "deepfool", norm: "l2", steps: 10, image: 26, seed: 0 },
  { name: "closest 1, DDN", goal: "misclassify:final", method: "ddn", norm: "l2", steps: 10, image: 1, seed: 0 },
  {
    name: "scores 102",
    goal: "misclassify:final",
    method: "square",
    ...ball("8/255"),
    queries: 40,
    image: 102,
    seed: 6,
  },
  { name: "noise 38", goal: "routed", method: "uniform-noise", ...ball("16/255"), image: 38, seed: 7 },
];

/** Address of the engine's script, relative to the page. */
export const workerOf = (folder: string): string => {
  const file = readdirSync(join(folder, "assets")).find((name) => /^worker-.*\.js$/.test(name));
  return `assets/${file}`;
};

/** Runs in the page: the engine answers the same calls as the page's own. */
export async function attackInPage({ attacks, worker }: { readonly attacks: typeof ATTACKS; readonly worker: string }) {
  const engine = new Worker(worker, { type: "module" });
  let calls = 0;
  const call = (name: string, takes: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++calls;
      engine.addEventListener("message", ({ data }) => {
        if (data.id !== id || data.kind === "frame") return;
        if (data.kind === "done") resolve(data.gives);
        else reject(new Error(data.message));
      });
      engine.postMessage({ id, name, takes });
    });
  const { policy } = (await call("open", { provider: "wasm" })) as { policy: unknown };
  const set = (await call("images", {})) as { pixels: Float32Array; labels: number[] };
  const found: { success: boolean; pixels: number[] }[] = [];
  for (const { image: id, seed, ...config } of attacks) {
    const pixels = set.pixels.slice(id * 3072, (id + 1) * 3072);
    const image = { id, pixels, label: set.labels[id] };
    const { frame } = (await call("attack", { image, config, policy, seed })) as AttackEnd;
    found.push({ success: frame.success, pixels: [...frame.pixels] });
  }
  return found;
}

/** One attack of Node: its end, and the images whose gradients it asked for. */
export interface Trail {
  readonly success: boolean;
  readonly image: Float32Array;
  readonly asked: readonly Float32Array[];
}

/** The same attacks in Node.
 * @param file of the network that the page has bundled */
export async function attacksInNode(file: string, attacks = ATTACKS, backend: Backend = ortNode()): Promise<Trail[]> {
  const [model, data] = [await load(file), await openDataset("sample")];
  const evaluator = new Recorder(model, { backend });
  const found = [];
  for (const { image, seed, ...config } of attacks) {
    const [sample] = await samples(model, subset(data, [image]), { backend });
    if (!model.policy) throw new Error("the bundled network has a policy");
    const attack = configureAttack(config, { model, policy: model.policy });
    const [end] = await runAttack(attack, [{ ...sample, id: image }], { evaluator, seed, batch: 1 });
    found.push({ success: end.success, image: end.image, asked: evaluator.asked.splice(0) });
  }
  await evaluator.release();
  return found;
}

/** Keeps the images whose gradients a search asks for. */
class Recorder extends Evaluator {
  readonly asked: Float32Array[] = [];

  override evaluate(asked: readonly Asked[]): Promise<Evaluation[]> {
    for (const { question } of asked) if (question.gradient) this.asked.push(question.image.slice());
    return super.evaluate(asked);
  }
}

/** Largest distance of two images in one value. */
export const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);

/** Where two builds of ONNX Runtime give a ReLU an input of another sign, so that its gradient differs. */
export interface Kink {
  readonly step: number;
  /** Distance of the images of both builds, up to this step. */
  readonly distance: number;
  /** The larger size of the input, in either build. */
  readonly input: number;
}

/** Follow one attack in native code and in WebAssembly up to the first ReLU whose input has another sign.
 * @returns the attack in WebAssembly, and the kink. Undefined: there is none */
export async function firstKink(file: string, attack: (typeof ATTACKS)[number]): Promise<[Trail, Kink | undefined]> {
  const [native, web] = [ortNode(), ortWeb()];
  const [[one], [other]] = [await attacksInNode(file, [attack], native), await attacksInNode(file, [attack], web)];
  const { graph } = await load(file);
  const [left, right] = [await activations(graph, native), await activations(graph, web)];
  let distance = 0;
  for (const [step, image] of one.asked.entries()) {
    distance = Math.max(distance, apart(image, other.asked[step]));
    const input = otherSign(await left(image), await right(image));
    if (input !== undefined) return [other, { step, distance, input }];
  }
  return [other, undefined];
}

/** Makes a reader of all inputs of ReLUs. */
async function activations(graph: Graph, backend: Backend): Promise<(image: Float32Array) => Promise<Float32Array[]>> {
  const names = graph.nodes.filter(({ opType }) => opType === "Relu").map(({ inputs }) => inputs[0]);
  const outputs = names.map((name) => ({ name, dtype: "float32" as const, shape: ["n"] }));
  const session = await backend.compile({ ...graph, outputs });
  const [{ name: input }] = graph.inputs;
  return async (data) => {
    const found = await session.run({ [input]: { dtype: "float32", dims: [1, 3, 32, 32], data } });
    return names.map((name) => found[name].data as Float32Array);
  };
}

/** The size of the first value that is positive in one list alone. */
function otherSign(left: readonly Float32Array[], right: readonly Float32Array[]): number | undefined {
  for (const [k, values] of left.entries()) {
    const at = values.findIndex((v, i) => v > 0 !== right[k][i] > 0);
    if (at >= 0) return Math.max(Math.abs(values[at]), Math.abs(right[k][at]));
  }
  return undefined;
}
