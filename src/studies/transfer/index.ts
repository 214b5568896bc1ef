/** @file Transfer: every network in turn is the surrogate on which attacks search, and every
 *  network is a target on which their images are judged. Only samples that all networks get right
 *  when clean are attacked, and all of them count, whether the attack worked on its surrogate or
 *  not (intention to treat). Source: docs/method.md, section 4. */

import { type AttackConfig, configureAttack } from "../../attacks/spec.js";
import { DynnError } from "../../core/errors.js";
import { checkGiven } from "../../core/given.js";
import { showShape } from "../../core/shape.js";
import { counted } from "../../core/units.js";
import { type Dataset, notesOf } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { BatchChoice } from "../../runtime/batch.js";
import { type Made, madeRecord } from "../../schema/made.js";
import { TRANSFER_VERSION, type TransferRecord, transferRecordSchema } from "../../schema/transfer-record.js";
import { transferable } from "../audit/crafting.js";
import type { Progress } from "../audit/options.js";
import { batchOf, type OpenBatch, type StudyRequest, tightest } from "../batch.js";
import { recorded } from "../defaults.js";
import { assumedPolicy, type PolicyChoice } from "../policy.js";
import { InProcess, type PlannedModel } from "../tasks/in-process.js";
import type { TaskKeeper } from "../tasks/kept-tasks.js";
import { answersKind } from "../tasks/kinds/answers.js";
import { craftKind } from "../tasks/kinds/craft.js";
import { IMAGES_FILE } from "../tasks/kinds/opened.js";
import { policyKind } from "../tasks/kinds/policy.js";
import { thresholdsKind } from "../tasks/kinds/thresholds.js";
import { transferPlan } from "./plan.js";
import { joined } from "./record.js";

/** The input of a transfer study. */
export interface TransferOptions {
  /** The networks with their policies. Each is a surrogate and a target. */
  readonly networks: readonly { readonly model: DynamicModel; readonly policy: PolicyChoice }[];
  readonly backend: Backend;
  /** The samples to attack. Validation samples must not be among them. */
  readonly data: Dataset;
  /** The attacks, each run on every surrogate. */
  readonly attacks: readonly AttackConfig[];
  readonly seed: number;
  /** Samples per evaluation. This number changes time and memory, never results. Left out: as many
   * as the memory allows, at most 64. */
  readonly batch: number;
  /** Version of dynn, for the record. */
  readonly version: string;
  /** When, how and where the study runs, for the record. Left out: the record does not say. */
  readonly made?: Made | undefined;
  /** Keeps finished tasks for the next call, see `taskKeeper` of dynn/node. */
  readonly kept?: TaskKeeper | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Clock in milliseconds. Only the `seconds` fields use it. */
  readonly now: () => number;
}

/** Measures how attacks transfer between networks.
 * @throws DynnError 'transfer/mismatch' when the networks take different images or classes, and the
 *  errors of audit
 * @example
 * ```ts
 * import { load, openDataset, ortNode, subset, transfer, VERSION } from "dynn/node";
 *
 * const model = await load("model.onnx");
 * const thresholds = model.exits.slice(1).map(() => 0.8);
 * const policy = {
 *   kind: "fixed",
 *   policy: { rule: "max-softmax", thresholds, fallback: "final" },
 * } as const;
 * const record = await transfer({
 *   networks: [
 *     { model, policy },
 *     { model: { ...model, name: "again" }, policy },
 *   ],
 *   backend: ortNode(),
 *   data: subset(await openDataset("sample"), [0, 1, 2, 3]),
 *   attacks: [{ name: "mim", method: "pgd", radius: "8/255" }],
 *   seed: 0,
 *   batch: 4,
 *   version: VERSION,
 *   now: () => performance.now(),
 * });
 * console.log(record.attacks[0]?.success[0]?.[1]?.value);
 * ``` */
export async function transfer(given: StudyRequest<TransferOptions>): Promise<TransferRecord> {
  checkGiven("transfer", { options: given });
  checkGiven("transfer", { backend: given.backend, data: given.data });
  const request = recorded(given);
  const started = request.now();
  const memory = memoryFor(request);
  const data = sameData(request);
  const attacks = request.attacks.map(transferable);
  const run = new InProcess({ ...request, memory, kinds: KINDS, passing: [IMAGES_FILE] });
  try {
    const reported = run.data(data);
    const networks: PlannedModel[] = [];
    for (const { model: given, policy } of request.networks) {
      const network = await run.planned(given, policy, reported);
      const victim = { model: network.model, policy: assumedPolicy(policy, network.model) };
      for (const config of attacks) configureAttack(config, victim);
      networks.push(network);
    }
    const planned = transferPlan({ networks, data: reported, attacks, seed: request.seed });
    await run.all(planned.plan);
    return transferRecordSchema.parse({
      schemaVersion: TRANSFER_VERSION,
      tool: { name: "dynn", version: request.version },
      ...madeRecord(request.made),
      data: { name: data.name, samples: data.count, seed: request.seed, notes: notesOf(data) },
      ...joined(
        planned,
        networks.map(({ model }) => model),
        attacks,
        run,
      ),
      memory,
      seconds: (request.now() - started) / 1000,
    });
  } finally {
    await run.release();
  }
}

const KINDS = { answers: answersKind, policy: policyKind, thresholds: thresholdsKind, craft: craftKind };

/** All networks stay in memory, and one of them is attacked at a time.
 * @throws DynnError 'memory/batch' */
function memoryFor({ networks, data, backend, batch }: OpenBatch<TransferOptions>): BatchChoice {
  // Each network has its clean images. Those of an attack are held with copies.
  const images = data.count * (networks.length + 3);
  return tightest(
    networks.map(({ model }) => {
      const sessions = networks.length + model.exits.length;
      return batchOf({ model, backend, batch, images, sessions, gradients: true });
    }),
  );
}

/** The data in the numbering of the networks, which must be one.
 * @throws DynnError 'transfer/mismatch' */
function sameData({ networks, data }: Pick<TransferOptions, "networks" | "data">): Dataset {
  const [first, ...rest] = networks.map(({ model }) => ({ model, data: fitData(model, data) }));
  for (const { model, data: fitted } of rest) {
    const sameImages = showShape(model.input.shape.slice(1)) === showShape(first.model.input.shape.slice(1));
    const sameClasses =
      model.classes === first.model.classes && fitted.labels.every((label, i) => label === first.data.labels[i]);
    if (sameImages && sameClasses) continue;
    const what = (one: DynamicModel) =>
      `images ${showShape(one.input.shape.slice(1))} and ${counted(one.classes, "class", "classes")}`;
    throw new DynnError(
      "transfer/mismatch",
      `${model.name}: takes ${what(model)}${sameImages && model.classes === first.model.classes ? " in another order" : ""}, but ${first.model.name} takes ${what(first.model)}. Compare networks for the same images and classes.`,
      { networks: [first.model.name, model.name] },
    );
  }
  return first.data;
}
