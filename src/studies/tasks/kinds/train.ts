/** @file The task `train`: trains a network by its recipe, and leaves the ONNX file with the right
 *  answers of every exit. Source: docs/method.md section 2. */
import { z } from "zod";
import type { TrainingSplit } from "../../../data/training-split.js";
import type { OnnxModel } from "../../../onnx/model.js";
import { readModel } from "../../../onnx/read.js";
import { writeModel } from "../../../onnx/write.js";
import { count } from "../../../schema/numbers.js";
import { networkRefSchema, trainingRefSchema } from "../../../schema/study/references.js";
import { networkRecipeSchema } from "../../../schema/zoo.js";
import { graphDigest, type InitialWeights, weightsOfModel, weightsOfNetwork } from "../../../training/run/network.js";
import type { TrainingPlan } from "../../../training/run/plan.js";
import type { TrainingRequest } from "../../../training/run/request.js";
import { train } from "../../../training/run/trainer.js";
import { fileOf, planRun } from "../../../training/zoo/runs.js";
import { publishedNetwork } from "../../zoo/published.js";
import { type TaskContext, taskKind } from "../kind.js";

/** Names of the files of the result. */
export const NETWORK_FILE = "network.onnx";
export const TRAINING_FILE = "training.json";

const parameters = networkRecipeSchema.extend({
  /** Its name in tables. */
  network: z.strictObject({ name: z.string().min(1) }),
  data: trainingRefSchema,
  /** Network whose weights the first run begins with. */
  init: networkRefSchema.nullable(),
  /** Of one epoch, for estimates. */
  images: count,
  /** Of one image, for estimates. */
  macs: count,
});
export type TrainParameters = z.infer<typeof parameters>;

const answers = z.strictObject({ right: count, count });

/** What is known of a trained network. */
export const trainedSchema = z.strictObject({
  /** Digest of the model with its weights. */
  sha256: z.string(),
  parameters: count,
  exits: z.array(
    z.strictObject({ name: z.string(), macs: count, costFraction: z.number(), validation: answers, test: answers }),
  ),
  /** Accuracy of each exit on the validation records, by epoch. */
  curve: z.array(z.array(z.number())),
});
export type Trained = z.infer<typeof trainedSchema>;

/** Images in one run of a measurement. */
const BATCH = 100;

export const trainKind = taskKind<TrainParameters>({
  name: "train",
  version: 1,
  parameters,
  inputs: ["networks"],
  cores: "own",
  threads: ({ runs }) => Math.max(...runs.map(({ threads }) => threads)),
  macs: ({ runs, images, macs }) => 3 * macs * images * runs.reduce((sum, { epochs }) => sum + epochs, 0),
  run: async (key, given, _inputs, context) => {
    const data = await context.trainingData(given.data);
    const { source, curve } = await trained(key, given, data, context);
    const { backend, signal } = context;
    const { model, measured } = await publishedNetwork(source, { data, backend, batch: BATCH, signal });
    const bytes = writeModel(model);
    const facts: Trained = {
      sha256: graphDigest(readModel(bytes, { name: given.network.name }).graph),
      ...{ parameters: measured.parameters, exits: [...measured.exits], curve },
    };
    return {
      files: { [NETWORK_FILE]: bytes, [TRAINING_FILE]: new TextEncoder().encode(`${JSON.stringify(facts)}\n`) },
    };
  },
});

/** Trains all runs, each from the weights of the run before. */
async function trained(
  key: string,
  given: TrainParameters,
  data: TrainingSplit,
  context: TaskContext,
): Promise<{ readonly source: OnnxModel; readonly curve: number[][] }> {
  const { name } = given.network;
  const curve: number[][] = [];
  let init = await firstWeights(given, context);
  let source: OnnxModel | undefined;
  for (const run of given.runs.keys()) {
    const plan = await planRun(given, run, { data, init });
    const { graph, epochs } = await trainRun(key, run, plan, given, context);
    curve.push(...epochs.map(({ validationAccuracy }) => [...validationAccuracy]));
    source = fileOf(plan, graph, name);
    init = weightsOfModel(source, { where: `${name}-${run + 1}.onnx` });
  }
  if (source === undefined) throw new Error("bug: a recipe has at least one run");
  return { source, curve };
}

const firstWeights = async (
  { init }: TrainParameters,
  { network }: TaskContext,
): Promise<InitialWeights | undefined> =>
  init === null ? undefined : weightsOfNetwork(await network(init), `${init.name}.onnx`);

async function trainRun(
  key: string,
  run: number,
  plan: TrainingPlan,
  { runs }: TrainParameters,
  { backend, signal, onProgress, keptTraining }: TaskContext,
) {
  const epochs = runs.map((each) => each.epochs);
  const sum = (part: readonly number[]): number => part.reduce((a, b) => a + b, 0);
  const before = sum(epochs.slice(0, run));
  const onStep: TrainingRequest["onStep"] = ({ epoch, step, stepsPerEpoch }) =>
    onProgress?.(before + epoch + step / stepsPerEpoch, sum(epochs));
  if (keptTraining) return keptTraining(plan, { key, run, threads: runs[run].threads, signal, onStep });
  const { network, data, config } = plan;
  const { train: records, validation } = data;
  return train({ model: network.model, train: records, validation, config, backend, signal, onStep });
}
