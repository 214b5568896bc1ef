/** @file `dynn calibrate`: chooses thresholds on validation records, measures them on test records,
 *  writes them into the model. */

import type { Command } from "commander";
import { currentName } from "../../attacks/names.js";
import { NAMED_ATTACKS, type PresetName, presetConfigs } from "../../attacks/presets.js";
import { DynnError } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import { fitData } from "../../data/fit.js";
import { THRESHOLD_KINDS, type ThresholdKind } from "../../dynamic/choose/calibrate.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import { openDataset } from "../../node/data/open.js";
import { checkWritable, writeText } from "../../node/files.js";
import { describeRun } from "../../node/machine.js";
import { openOnnx } from "../../node/models.js";
import type { ModelMetadata } from "../../schema/metadata.js";
import type { CalibrationTarget } from "../../schema/target.js";
import { type CalibrationResult, calibrateModel, type WorstCaseOptions } from "../../studies/calibration/index.js";
import { ruleOf } from "../../studies/policy.js";
import { measureSpeed } from "../../studies/speed.js";
import { type BackendFlags, backendOf } from "../shared/backend-options.js";
import { matchingOf } from "../shared/class-options.js";
import {
  type CommonFlags,
  common,
  commons,
  type HeadFlags,
  headsOfFlags,
  noSpeed,
  recordJson,
} from "../shared/common-options.js";
import { checkDistinct } from "../shared/distinct.js";
import type { Io } from "../shared/io.js";
import { keeperOf, keptOption } from "../shared/kept-option.js";
import { type NormalizationFlags, normalizationOf, normalizationOptions } from "../shared/normalization-options.js";
import { file, oneOf, option, type Reader, refuse, whole } from "../shared/options.js";
import {
  type RuleFlags,
  readTarget,
  type SplitFlags,
  splitRecords,
  TARGETS,
  targetOption,
} from "../shared/policy-options.js";
import { withProgress } from "../shared/progress.js";
import { checkPolicyOutput, writePolicy } from "./output.js";
import { calibrationSummary, calibrationTables } from "./tables.js";

type Shared = CommonFlags<"data" | "timeBatch" | "eps" | "seed", "batch" | "samples" | "json" | "report">;

interface CalibrateFlags extends RuleFlags, HeadFlags, SplitFlags, NormalizationFlags, BackendFlags, Shared {
  readonly target: CalibrationTarget;
  readonly thresholds: ThresholdKind;
  readonly temperature?: boolean;
  readonly worstCase?: PresetName;
  readonly worstCost?: number;
  readonly worstAccuracy?: number;
  readonly worstSamples: number;
  readonly speed: boolean;
  readonly full?: boolean;
  readonly out?: string;
  readonly store?: string;
}

/** The name of an attack. An old name is accepted too. */
const presetName: Reader<PresetName> = (text, where) => oneOf(NAMED_ATTACKS)(currentName(text), where);

export function calibrateCommand(command: Command, io: Io): Command {
  command
    .addOption(common("data"))
    .addOption(common("samples", { about: "test on the first N records (default: up to 1000)", read: whole(1, 1000) }))
    .addOption(
      targetOption(`${TARGETS} | latency:2ms (most accurate at that mean time per sample, measured here)`, readTarget),
    )
    .addOption(
      option("--thresholds <kind>", "uniform (one for all exits) or per-exit", oneOf(THRESHOLD_KINDS)).default(
        "uniform",
      ),
    )
    .option("--temperature", "first fit a temperature to each exit, to calibrate its confidences");
  for (const one of [
    ...commons("rule", "fallback", "exits", "final", "classes", "byOrder"),
    ...normalizationOptions(),
    ...commons("validation", "validationSamples"),
  ])
    command.addOption(one);
  command
    .addOption(
      option(
        "--worst-case <attack>",
        `bound the cost or the accuracy under an attack on the validation records: ${NAMED_ATTACKS.join(", ")} (default: slowdown for a cost, routed for an accuracy)`,
        presetName,
      ),
    )
    .addOption(
      option(
        "--worst-cost <share>",
        "highest mean cost under that attack (default: 80%, without --worst-accuracy)",
        share,
      ),
    )
    .addOption(option("--worst-accuracy <share>", "lowest accuracy under that attack", share))
    .addOption(option("--worst-samples <n>", "records to attack in each split", whole(1, 100)).default(100))
    .addOption(common("eps", { about: "Linf radius of that attack; pixels lie in [0,1]" }))
    .addOption(common("timeBatch", { about: "batch size at which times are measured, for a target latency" }));
  for (const one of commons("seed", "batch", "threads", "provider")) command.addOption(one);
  return command
    .addOption(noSpeed())
    .option("--full", "print every table: each exit, each gate, the curve of thresholds")
    .addOption(recordJson("docs/calibration.md"))
    .addOption(keptOption())
    .addOption(common("report", { about: "write a self-contained HTML report with the accuracy-cost curve" }))
    .addOption(
      option(
        "-o, --out <file>",
        "write the model with its new policy and no other change (default: only report)",
        file,
      ),
    )
    .addHelpText("after", HELP)
    .action((model: string, flags: CalibrateFlags) => calibrateAction(model, flags, io));
}

const HELP = `
The validation records and the test records have no image in common.

Examples:
  # The cheapest threshold that keeps 95 % of the final accuracy
  $ dynn calibrate zoo:resnet20-joint --report calibration.html

  # A threshold per exit for half the cost, written into a copy of the model
  $ dynn calibrate model.onnx --data cifar10:data --target budget:50% \\
      --thresholds per-exit --temperature -o calibrated.onnx

  # At most 2 ms per image on this machine
  $ dynn calibrate model.onnx --data cifar10:data --target latency:2ms

  # Under an attack that slows the network down, the cost is at most 90 %
  $ dynn calibrate model.onnx --data cifar10:data --worst-cost 90%

  # Under an attack on the exit that answers, a third of the answers stay right
  $ dynn calibrate model.onnx --data cifar10:data --worst-accuracy 33% \\
      --eps 2/255`;

/** A share above 0 and up to 1. */
const share: Reader<number> = (text, where) => {
  const [, digits = "", percent] = /^(\d+\.?\d*|\.\d+)(%?)$/.exec(text.trim()) ?? [];
  const value = digits === "" ? Number.NaN : Number(digits) / (percent ? 100 : 1);
  if (value > 0 && value <= 1) return value;
  throw refuse(where, text, "a share above 0 and up to 100 %", `Write e.g. ${where} 80%`);
};

async function calibrateAction(spec: string, flags: CalibrateFlags, io: Io): Promise<void> {
  // Before the work adds its own load.
  const made = describeRun({ threads: flags.threads, command: io.command });
  const normalization = normalizationOf(flags);
  const preset = attackOf(flags);
  await checkOutputs(flags);
  const matching = await matchingOf(flags);
  const given = await openDataset(flags.data);
  const { source, name, path } = await openOnnx(spec);
  if (flags.out !== undefined) await checkPolicyOutput(path, flags.out);
  const model = dynamicModel(source, {
    name,
    imageSize: [given.shape[1], given.shape[2]],
    ...normalization,
    ...headsOfFlags(flags),
  });
  const data = fitData(model, given, matching);
  const { reported, validation } = await splitRecords(flags, model, data, flags.samples, flags.seed);
  const backend = backendOf(flags);
  const kept = await keeperOf(flags);
  const result = await withProgress((onProgress) =>
    calibrateModel({
      ...{
        model,
        backend,
        validation,
        test: reported,
        ...ruleOf({ rule: flags.rule, fallback: flags.fallback }, model),
      },
      target: flags.target,
      thresholds: flags.thresholds,
      temperature: flags.temperature === true,
      worstCase: preset === undefined ? undefined : worstCaseOf(preset, flags, model),
      timeBatch: flags.timeBatch,
      kept,
      measureSpeed: flags.speed
        ? (policy) =>
            measureSpeed({
              ...{ model, policy, backend, data: reported, onProgress },
              signal: io.signal,
              now: () => performance.now(),
            })
        : undefined,
      seed: flags.seed,
      batch: flags.batch,
      ...{ version: VERSION, made },
      signal: io.signal,
      onProgress,
      now: () => performance.now(),
    }),
  );
  io.signal.throwIfAborted();
  await writeOutputs(result, path, { ...flags, stated: statedExits(model, flags) }, io);
}

/** The exits that the flags chose. The file must state them, because the policy fits only them. */
const statedExits = ({ exits }: DynamicModel, flags: HeadFlags): ModelMetadata["exits"] =>
  flags.exits === undefined && flags.final === undefined
    ? undefined
    : exits.map(({ name, output }) => ({ name, logits: output }));

/** @throws DynnError 'cli/usage', 'file/unwritable' */
async function checkOutputs({ json, report, out }: CalibrateFlags): Promise<void> {
  await checkDistinct({ "--json": json, "--report": report, "--out": out });
  for (const path of [json, report, out]) if (path !== undefined && path !== "-") await checkWritable(path);
}

/** The attack of the bounds. Two bounds together could mean different attacks, so the attack must
 * be named.
 * @throws DynnError 'cli/usage' */
function attackOf({ worstCase, worstCost, worstAccuracy }: CalibrateFlags): PresetName | undefined {
  if (worstCase !== undefined) return worstCase;
  if (worstCost !== undefined && worstAccuracy !== undefined)
    throw new DynnError(
      "cli/usage",
      "--worst-cost, --worst-accuracy: both bounds need one attack, but the call does not name one. Add e.g. --worst-case routed.",
      { worstCost, worstAccuracy },
    );
  return worstCost !== undefined ? "slowdown" : worstAccuracy !== undefined ? "routed" : undefined;
}

/** The bound on the cost when the call does not give a bound. */
const DEFAULT_MAX_COST = 0.8;

function worstCaseOf(
  preset: PresetName,
  flags: CalibrateFlags,
  { exits, gates }: DynamicModel,
): WorstCaseOptions | undefined {
  const { worstCost, worstAccuracy: minAccuracy, worstSamples: samples } = flags;
  const [attack] = presetConfigs([preset], { epsilon: flags.eps, earlyExits: exits.length - 1, gates: gates.length });
  const maxCost = worstCost ?? (minAccuracy === undefined ? DEFAULT_MAX_COST : undefined);
  return attack && { attack, maxCost, minAccuracy, samples };
}

async function writeOutputs(
  { record, policy }: CalibrationResult,
  path: string,
  { stated: exits, ...flags }: CalibrateFlags & { readonly stated: ModelMetadata["exits"] },
  io: Io,
): Promise<void> {
  const json = `${JSON.stringify(record, undefined, 2)}\n`;
  if (flags.out !== undefined) await writePolicy(path, flags.out, { policy, exits });
  if (flags.report !== undefined) {
    const { renderCalibration } = await import("../../report/calibration/page.js");
    await writeText(flags.report, renderCalibration(record));
  }
  if (flags.json !== undefined && flags.json !== "-") await writeText(flags.json, json);
  if (flags.json === "-") return io.out(json);
  io.out(flags.full ? calibrationTables(record) : calibrationSummary(record));
  for (const written of [flags.out, flags.report, flags.json]) if (written !== undefined) io.out(`wrote ${written}\n`);
}
