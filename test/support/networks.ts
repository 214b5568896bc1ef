/** @file Every network whose input gradient the tests check, with the check: what docs/networks.md lists. */
import { readdirSync, readFileSync } from "node:fs";
import { join, parse, resolve } from "node:path";
import { modelGradient } from "../../src/autodiff/model-gradient.js";
import { uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { readNpy } from "../../src/data/npy.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import type { Graph } from "../../src/graph/graph.js";
import { prune } from "../../src/graph/passes/prune.js";
import { ARCHITECTURES, type ArchitectureName } from "../../src/nn/architectures.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { opTable } from "../../src/ops/table.js";
import { cifarTestRecords, firstRecords } from "./cifar-records.js";
import { FAMILIES } from "./families.js";
import { FOREIGN_MODELS } from "./foreign/index.js";
import { isRefused, type ReadableModel } from "./foreign/model.js";
import { type GradientErrors, gradientErrors, type Images, largestError } from "./gradient-errors.js";
import { referenceFile } from "./reference-cases.js";
import { referenceNetwork, UNDECIDED } from "./reference-network.js";

export type Answer = "PyTorch, float64" | "reference kernels, float64";

export interface CheckedNetwork {
  readonly name: string;
  readonly graph: Graph;
  /** What the float32 gradient is compared with. */
  readonly against: Answer;
  readonly check: () => Promise<GradientErrors>;
}

/** By where the networks come from. */
export interface CheckedNetworks {
  readonly exported: readonly CheckedNetwork[];
  readonly trained: readonly CheckedNetwork[];
  readonly families: readonly CheckedNetwork[];
  readonly foreign: readonly CheckedNetwork[];
}

export const checkedNetworks = (): CheckedNetworks => ({
  exported: [...Object.keys(EXPORTED).map(exported), sdn()],
  trained: [...zoo().map(bundled), ...BUILT.map(built)],
  families: [...FAMILIES].map(([name, make]) => byKernels(name, make(), FAMILY_IMAGES)),
  foreign: FOREIGN_MODELS.flatMap((model) => (isRefused(model) ? [] : foreign(model))),
});

/** Names in the document, by folder of test/fixtures/reference/gradients. */
const EXPORTED = {
  squeezenet: "SqueezeNet 1.1",
  mobilenet_v2: "MobileNetV2, width 0.25",
  efficientnet: "EfficientNet, three stages",
  densenet: "DenseNet, three blocks",
  vit: "ViT, three layers",
} as const;
/** Made narrow, or for small images: the reference kernels are slow. */
const BUILT: readonly (readonly [name: ArchitectureName, imageSize: number, width: number])[] = [
  ["resnet56", 8, 1],
  ["vgg16", 32, 0.125],
  ["mobilenet", 16, 0.25],
  ["msdnet", 16, 0.5],
];

const imagesOf = (dims: readonly number[], labels: readonly number[], step?: number): Images => ({
  pixels: fromNumbers("float64", dims, uniform({ seed: 5, sample: 0, purpose: "test", step: 0 }, sizeOf(dims))),
  labels,
  step,
});
const FAMILY_IMAGES = imagesOf([2, 3, 8, 8], [3, 1], 1e-5);

const byKernels = (name: string, graph: Graph, images: Images): CheckedNetwork => ({
  name,
  graph,
  against: "reference kernels, float64",
  check: () => gradientErrors(graph, images),
});

/** A file in the form of another exporter, as dynn reads it, by its final exit. Rounding has no slope to compare with. */
function foreign(file: ReadableModel): CheckedNetwork[] {
  const name = `${file.maker}: ${file.form}`;
  const { graph, quantization, classes } = dynamicModel(readModel(file.bytes()), { name });
  if (quantization !== undefined || graph.nodes.some(({ opType }) => opType === "Round")) return [];
  const images = imagesOf([2, ...file.image], [classes - 1, 1], 1e-6);
  return [byKernels(name, prune({ ...graph, outputs: graph.outputs.slice(-1) }), images)];
}

function exported(folder: string): CheckedNetwork {
  const { source, graph, feeds, gradient } = referenceNetwork(folder);
  const check = async (): Promise<GradientErrors> => {
    const session = await ortNode({ threads: 1 }).compile(graph);
    const results = await session.run(feeds);
    await session.release();
    return { slope: undefined, float32: largestError(results[gradient.name], gradient.expected, UNDECIDED[folder]) };
  };
  return { name: EXPORTED[folder as keyof typeof EXPORTED], graph: source, against: "PyTorch, float64", check };
}

const ZOO = resolve(import.meta.dirname, "../../zoo");
/** Without the thin networks with seeds, whose layers are those of the built ones. */
const zoo = (): string[] => readdirSync(ZOO).filter((file) => file.endsWith(".onnx") && !/-s\d+\.onnx$/.test(file));

const bundled = (file: string): CheckedNetwork =>
  byKernels(`zoo:${parse(file).name}`, readModel(readFileSync(join(ZOO, file))).graph, imagesOf([1, 3, 32, 32], [3]));

const built = ([name, imageSize, width]: (typeof BUILT)[number]): CheckedNetwork =>
  byKernels(
    `${name}, width ${width}, images of ${imageSize}`,
    ARCHITECTURES[name].make({ classes: 10, imageSize, width }).graph,
    imagesOf([1, 3, imageSize, imageSize], [3], 1e-7),
  );

/** The network with exits, on the first 16 test images of CIFAR-10. */
function sdn(): CheckedNetwork {
  const file = (name: string) => referenceFile(`resnet20-sdn/${name}`);
  const source = readModel(file("model.onnx")).graph;
  const check = async (): Promise<GradientErrors> => {
    const { graph, gradient } = modelGradient(source, opTable, { loss: "cross-entropy", output: "exit4" });
    const want = readNpy(file("grad_final_first16.npy"), "grad_final_first16.npy");
    const { pixels, labels } = await firstRecords(await cifarTestRecords(), 16);
    const session = await ortNode({ threads: 1 }).compile(graph);
    const results = await session.run({
      image: fromNumbers("float32", want.dims, pixels),
      labels: fromNumbers("int64", [16], Array.from(labels)),
    });
    await session.release();
    return { slope: undefined, float32: largestError(results[gradient], want) };
  };
  return { name: "ResNet-20 with five exits", graph: source, against: "PyTorch, float64", check };
}
