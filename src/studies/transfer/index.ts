/** @file Transfer: every network in turn is the surrogate on which attacks search, and every
 *  network is a target on which their images are judged. Only samples that all networks get right
 *  when clean are attacked, and all of them count, whether the attack worked on its surrogate or
 *  not (intention to treat). Source: docs/method.md, section 4. */

import { Evaluator } from "../../attacks/oracle/evaluator.js";
import { runAttack } from "../../attacks/runner.js";
import { toEightBits } from "../../attacks/sample.js";
import { type AttackConfig, type ConfiguredAttack, configureAttack } from "../../attacks/spec.js";
import { DynnError } from "../../core/errors.js";
import { Images } from "../../core/images.js";
import { showShape } from "../../core/shape.js";
import { stackRows } from "../../core/tensor.js";
import { type Dataset, notesOf } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { route } from "../../dynamic/route/route.js";
import { accuracy } from "../../measures/accuracy.js";
import { meanCostFraction } from "../../measures/cost.js";
import { wilson } from "../../measures/wilson.js";
import type { Backend } from "../../runtime/backend.js";
import type { BatchChoice } from "../../runtime/batch.js";
import type { Rate } from "../../schema/numbers.js";
import { policyRecord } from "../../schema/policy.js";
import {
  TRANSFER_VERSION,
  type TransferAttack,
  type TransferRecord,
  transferRecordSchema,
} from "../../schema/transfer-record.js";
import { type AuditedModel, prepare } from "../audit/audited-model.js";
import { transferable } from "../audit/crafting.js";
import type { Progress } from "../audit/options.js";
import { costSharesOf } from "../audit/tally.js";
import { attackRoom, batchOf, type OpenBatch, tightest } from "../batch.js";
import { withCheckedModel } from "../checked-model.js";
import type { PolicyChoice } from "../policy.js";

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
export async function transfer(request: OpenBatch<TransferOptions>): Promise<TransferRecord> {
  const started = request.now();
  const memory = memoryFor(request);
  const options = { ...request, batch: memory.batch, memory };
  const data = sameData(options);
  const networks: AuditedModel[] = [];
  try {
    for (const network of options.networks) networks.push(await prepared(network, data, options));
    const eligible = Array.from({ length: data.count }, (_, i) => i).filter((i) =>
      networks.every(({ routed }) => routed[i].label === data.labels[i]),
    );
    const attacks: TransferAttack[] = [];
    for (const config of options.attacks) attacks.push(await runOne(config, networks, eligible, options));
    return transferRecordSchema.parse({
      schemaVersion: TRANSFER_VERSION,
      tool: { name: "dynn", version: options.version },
      data: { name: data.name, samples: data.count, seed: options.seed, notes: notesOf(data) },
      networks: networks.map(networkRecord),
      eligible: eligible.length,
      attacks,
      memory,
      seconds: (options.now() - started) / 1000,
    });
  } finally {
    for (const { forward } of networks) await forward.release();
  }
}

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
    const what = (one: DynamicModel) => `images ${showShape(one.input.shape.slice(1))} and ${one.classes} classes`;
    throw new DynnError(
      "transfer/mismatch",
      `${model.name}: takes ${what(model)}${sameImages && model.classes === first.model.classes ? " in another order" : ""}, but ${first.model.name} takes ${what(first.model)}. Compare networks for the same images and classes.`,
      { networks: [first.model.name, model.name] },
    );
  }
  return first.data;
}

async function prepared(
  { model, policy }: TransferOptions["networks"][number],
  data: Dataset,
  { backend, batch, signal, onProgress }: TransferOptions,
): Promise<AuditedModel> {
  const checked = await withCheckedModel({ model, backend, policy, data, batch, signal }, data);
  return prepare({
    ...checked,
    onProgress: ({ phase, ...rest }) => onProgress?.({ phase: `${model.name}, ${phase}`, ...rest }),
  });
}

function networkRecord({
  victim: { model, policy },
  labels,
  routed,
}: AuditedModel): TransferRecord["networks"][number] {
  return {
    name: model.name,
    parameters: model.parameters,
    exits: model.exits.length,
    macs: model.exits[model.exits.length - 1].macs,
    policy: policyRecord(policy),
    accuracy: accuracy(
      labels,
      routed.map((r) => r.label),
    ),
    meanCostFraction: meanCostFraction(costSharesOf(model, routed)),
  };
}

type Attacking = TransferOptions & { readonly memory: BatchChoice };

/** One attack on every surrogate, judged on every target. */
async function runOne(
  config: AttackConfig,
  networks: readonly AuditedModel[],
  eligible: readonly number[],
  options: Attacking,
): Promise<TransferAttack> {
  const success: Rate[][] = [];
  const surrogateSuccess: Rate[] = [];
  const seconds: number[] = [];
  let described: ConfiguredAttack | undefined;
  for (const surrogate of networks) {
    const attack = configureAttack(transferable(config), surrogate.victim);
    described ??= attack;
    const crafted = await craft(attack, surrogate, eligible, options);
    surrogateSuccess.push(wilson(crafted.successes, eligible.length));
    seconds.push(crafted.seconds);
    const row: Rate[] = [];
    for (const target of networks) row.push(await judged(crafted.images, target, eligible, options));
    success.push(row);
  }
  const { goal, method, budget, parameters } = described as ConfiguredAttack;
  const facts = { name: config.name, goal: goal.name, method: method.name, norm: budget.norm };
  return { ...facts, radius: budget.radius ?? null, parameters: { ...parameters }, success, surrogateSuccess, seconds };
}

interface Crafted {
  /** Images of the eligible samples, rounded to 8 bits. */
  readonly images: Images;
  readonly successes: number;
  readonly seconds: number;
}

async function craft(
  attack: ConfiguredAttack,
  { victim, samples }: AuditedModel,
  eligible: readonly number[],
  { backend, seed, batch, memory, signal, onProgress, now }: Attacking,
): Promise<Crafted> {
  const evaluator = new Evaluator(victim.model, backend, attackRoom(memory, victim.model));
  const phase = `${attack.name} on ${victim.model.name}`;
  const started = now();
  try {
    const outcomes = await runAttack(
      attack,
      eligible.map((i) => samples[i]),
      evaluator,
      { seed, batch, signal, onProgress: (done, total) => onProgress?.({ phase, done, total }) },
    );
    const pixels = outcomes.length > 0 ? stackRows(outcomes.map((o) => o.image)).data : new Float32Array();
    return {
      images: Images.for(victim.model, toEightBits(pixels)),
      successes: outcomes.filter((o) => o.success).length,
      seconds: (now() - started) / 1000,
    };
  } finally {
    await evaluator.release();
  }
}

/** Share of the images whose routed answer is wrong. */
async function judged(
  images: Images,
  { victim, forward, labels }: AuditedModel,
  eligible: readonly number[],
  { batch, signal }: TransferOptions,
): Promise<Rate> {
  const routed = eligible.length > 0 ? route(await forward.logits(images, { batch, signal }), victim.policy) : [];
  return wilson(routed.filter((r, k) => r.label !== labels[eligible[k]]).length, eligible.length);
}
