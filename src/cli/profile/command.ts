/** @file `dynn profile`: measures how much time early exits save on this machine, and how much
 *  accuracy they cost. */

import type { Command } from "commander";
import { parseQuantity } from "../../core/units.js";
import { VERSION } from "../../core/version.js";
import { type Dataset, subset } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { openDataset } from "../../node/data/open.js";
import { checkWritable, writeText } from "../../node/files.js";
import { describeRun } from "../../node/machine.js";
import { openModel } from "../../node/models.js";
import type { Backend } from "../../runtime/backend.js";
import { LARGEST_BATCH } from "../../runtime/batch.js";
import { RULES, type Rule } from "../../schema/policy.js";
import type { ProfileRecord } from "../../schema/profile-record.js";
import { isRoutable } from "../../schema/units.js";
import { batchOf } from "../../studies/batch.js";
import { ruleOf } from "../../studies/policy.js";
import { profile } from "../../studies/profile/index.js";
import { type BackendFlags, backendOf } from "../shared/backend-options.js";
import { matchingOf } from "../shared/class-options.js";
import {
  type CommonFlags,
  common,
  commons,
  type HeadFlags,
  headsOfFlags,
  recordJson,
} from "../shared/common-options.js";
import { checkDistinct } from "../shared/distinct.js";
import type { Io } from "../shared/io.js";
import { keeperOf, keptOption } from "../shared/kept-option.js";
import { listOf, oneOf, option, whole } from "../shared/options.js";
import { type SplitFlags, splitRecords } from "../shared/policy-options.js";
import { withProgress } from "../shared/progress.js";
import { profileSummary, profileTables } from "./tables.js";

type Shared = CommonFlags<"data" | "seed", "samples" | "fallback" | "json" | "report">;

interface ProfileFlags extends HeadFlags, SplitFlags, BackendFlags, Shared {
  readonly batch?: readonly number[];
  readonly rules?: readonly Rule[];
  readonly thresholds?: readonly number[];
  readonly baseline?: string;
  readonly rounds: number;
  readonly store?: string;
  readonly full?: boolean;
}

export function profileCommand(command: Command, io: Io): Command {
  command
    .addOption(common("data"))
    .addOption(common("samples", { about: `time and report on the first N records (default: up to ${SAMPLES})` }))
    .addOption(
      option(
        "--batch <list>",
        "batch sizes (default: those of 1,8,64 that are not above the number of images, in 1 GB)",
        listOf(whole(1, 64)),
      ),
    )
    .addOption(
      option(
        "--rules <list>",
        `exit rules: ${RULES.join(", ")}; the operating points of the first rule are timed at every batch size (default: all, the model's own first)`,
        listOf(oneOf(RULES)),
      ),
    )
    .addOption(
      option(
        "--thresholds <list>",
        "thresholds to profile, each used for all early exits under every rule of --rules (default: the cheapest that keep 95 % and 85 % of the final accuracy, the most accurate at half the work, and a sweep, chosen on validation records)",
        listOf(parseQuantity),
      ),
    )
    .addOption(common("fallback"))
    .addOption(common("baseline"));
  for (const one of commons("exits", "final", "classes", "byOrder", "validation", "validationSamples"))
    command.addOption(one);
  return command
    .addOption(option("--rounds <n>", "how often everything is measured, in turn", whole(1, 5)).default(5))
    .addOption(common("seed", { about: "seed of the choice of validation records" }))
    .addOption(common("threads"))
    .addOption(common("provider"))
    .option("--full", "print every table: latencies, images per exit, the sweep of each rule")
    .addOption(recordJson("docs/profiling.md"))
    .addOption(keptOption())
    .addOption(common("report"))
    .addHelpText("after", HELP)
    .action((model: string, flags: ProfileFlags) => profileAction(model, flags, io));
}

const HELP = `
Run this on an idle machine: other work distorts the times. The record shows
the load of the machine before the run.

Examples:
  # How much time do the exits of the bundled network save on this machine?
  $ dynn profile zoo:resnet20-joint --report profile.html

  # Compared with a smaller network, on CIFAR-10, with one rule
  $ dynn profile model.onnx --data cifar10:data --rules entropy \\
      --baseline small.onnx

  # Your own thresholds at batch 1, with a JSON record
  $ dynn profile model.onnx --thresholds 0.7,0.8,0.9 --rules max-softmax \\
      --batch 1 --json profile.json`;

/** The default number of records: enough for an interval of 3 points, few enough for a minute on
 * two cores. */
const SAMPLES = 400;

async function profileAction(spec: string, flags: ProfileFlags, io: Io): Promise<void> {
  await checkDistinct({ "--json": flags.json, "--report": flags.report });
  for (const path of [flags.json, flags.report]) if (path !== undefined && path !== "-") await checkWritable(path);
  // Before the work adds its own load.
  const made = describeRun({ threads: flags.threads, command: io.command });
  const matching = await matchingOf(flags);
  const given = await openDataset(flags.data);
  const open = (which: string, heads: HeadFlags = {}): Promise<DynamicModel> =>
    openModel(which, { imageSize: [given.shape[1], given.shape[2]], ...headsOfFlags(heads) });
  const model = await open(spec, flags);
  const data = fitData(model, given, matching);
  const baseline = flags.baseline === undefined ? undefined : await open(flags.baseline);
  const records = await recordsOf(flags, model, data);
  const backend = backendOf(flags);
  const kept = await keeperOf(flags);
  const record = await withProgress((onProgress) =>
    profile({
      ...{ model, baseline, made, ...records, ...pointsOf(flags, model) },
      batches: flags.batch ?? defaultBatches(model, backend, records.data.count),
      ...{ backend, kept },
      rounds: flags.rounds,
      seed: flags.seed,
      version: VERSION,
      signal: io.signal,
      onProgress,
      now: () => performance.now(),
    }),
  );
  io.signal.throwIfAborted();
  await writeOutputs(record, flags, io);
}

/** Batch sizes to time: one image, a few, and as many as the memory allows, at most 64. */
const defaultBatches = (model: DynamicModel, backend: Backend, images: number): number[] => {
  const { batch: most } = batchOf({ model, backend });
  return [1, 8, LARGEST_BATCH].map((batch) => Math.min(batch, most)).filter((batch) => batch <= images);
};

/** The rules in their order, the fallback, and the given thresholds. With given thresholds one rule
 * is enough. */
function pointsOf({ rules, thresholds, fallback }: ProfileFlags, model: DynamicModel) {
  const own = ruleOf(fallback ? { fallback } : {}, model);
  const all = thresholds ? [own.rule] : [own.rule, ...RULES.filter((rule) => rule !== own.rule)];
  return { rules: [...new Set(rules ?? all)], thresholds, fallback: own.fallback };
}

/** The records to report on, and the records to choose thresholds on when thresholds are not given.
 * @throws DynnError 'policy/validation', 'data/spec' */
async function recordsOf(
  flags: ProfileFlags,
  model: DynamicModel,
  data: Dataset,
): Promise<{ readonly data: Dataset; readonly validation?: Dataset }> {
  const { samples, validation, thresholds, seed } = flags;
  if (!isRoutable(model) || thresholds) {
    const count = Math.min(samples ?? SAMPLES, data.count);
    return {
      data: subset(
        data,
        Array.from({ length: count }, (_, i) => i),
      ),
    };
  }
  const enough = validation !== undefined || data.count >= 2 * SAMPLES;
  const split = await splitRecords(flags, model, data, samples ?? (enough ? SAMPLES : undefined), seed);
  return { data: split.reported, validation: split.validation };
}

async function writeOutputs(record: ProfileRecord, { json, report, full }: ProfileFlags, io: Io): Promise<void> {
  const text = `${JSON.stringify(record, undefined, 2)}\n`;
  if (report !== undefined) {
    const { renderProfile } = await import("../../report/profile/page.js");
    await writeText(report, renderProfile(record));
  }
  if (json !== undefined && json !== "-") await writeText(json, text);
  if (json === "-") return io.out(text);
  io.out(full ? profileTables(record) : profileSummary(record));
  for (const path of [report, json]) if (path !== undefined) io.out(`wrote ${path}\n`);
}
