/** @file `dynn audit`: measures how accurate, how fast and how attackable a network is on real
 *  images. */

import { type Command, Option } from "commander";
import { AIM_NAMES, type Aim } from "../../attacks/goals/targets.js";
import { DEFAULT_PRESETS, NAMED_ATTACKS, PRESETS, presetConfigs, usable } from "../../attacks/presets.js";
import { type AttackConfig, parseAttackFile } from "../../attacks/spec.js";
import { DynnError } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import type { Dataset } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import { ENSEMBLE_FORMS, type EnsembleForm, ensemble } from "../../dynamic/model/ensemble.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { openDataset } from "../../node/data/open.js";
import { readJson } from "../../node/files.js";
import { keptStore } from "../../node/kept.js";
import { describeRun } from "../../node/machine.js";
import { openModel } from "../../node/models.js";
import { NEVER_FIRES, uniformPolicy } from "../../schema/policy.js";
import { type AuditOptions, audit } from "../../studies/audit/index.js";
import { givenPolicy, type ResolvedPolicy } from "../../studies/policy.js";
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
import { Interrupted } from "../shared/interrupt.js";
import type { Io } from "../shared/io.js";
import { keeperOf, keptOption } from "../shared/kept-option.js";
import { listed } from "../shared/listed.js";
import { type NormalizationFlags, normalizationOf, normalizationOptions } from "../shared/normalization-options.js";
import { file, listOf, option, type Reader, radius, refuse, whole } from "../shared/options.js";
import {
  type PolicyFlags,
  policyOptions,
  policyRequest,
  resolvePolicyFlags,
  splitRecords,
} from "../shared/policy-options.js";
import { withProgress } from "../shared/progress.js";
import { interrupted, keptRun } from "./keep.js";
import { checkOutputs, FORM_ENDINGS, tableFile, writeOutputs } from "./output.js";

type Shared = CommonFlags<
  "data" | "eps" | "seed",
  "batch" | "samples" | "attacks" | "attackFile" | "baseline" | "json" | "report"
>;

interface AuditFlags extends PolicyFlags, HeadFlags, NormalizationFlags, BackendFlags, Shared {
  readonly radii?: readonly number[];
  readonly curveSteps: number;
  readonly targeted?: Aim;
  readonly jsonSamples?: boolean;
  readonly records?: string;
  readonly surrogate?: readonly string[];
  readonly ensemble: EnsembleForm;
  readonly fixedBlocks?: boolean;
  readonly keep?: string;
  readonly seeds: number;
  readonly table?: string;
  readonly store?: string;
}

export function auditCommand(command: Command, io: Io): Command {
  command
    .addOption(common("data"))
    .addOption(common("samples", { about: "report on the first N records (default: up to 1000)" }))
    .addOption(common("eps"))
    .addOption(
      common("attacks", { about: `names from the list below, all or none (default: ${DEFAULT_PRESETS.join(", ")})` }),
    )
    .addOption(common("attackFile"))
    .addOption(
      option(
        "--targeted <class>",
        "attacks aim at a class: least-likely, second, random, or the number of one",
        aim,
      ).conflicts("attackFile"),
    )
    .addOption(
      option(
        "--radii <list>",
        "radii of the robustness curve, or 0 for none (default: 1/8, 1/4, 1/2 and all of --eps; with --attack-file, --surrogate or --attacks none: none)",
        listOf(radius),
      ),
    )
    .addOption(option("--curve-steps <n>", "PGD steps at each radius of the curve", whole(1, 20)).default(20));
  command
    .addOption(
      option(
        "--surrogate <models>",
        "networks that the attacks search on in place of the audited one: ONNX files or zoo:NAME, as a list",
        listOf((name) => name),
      ),
    )
    .addOption(
      new Option(
        "--ensemble <form>",
        "how several surrogates become one: by the mean of their logits, probabilities or losses",
      )
        .choices(ENSEMBLE_FORMS)
        .default("logits"),
    );
  command.addOption(
    common("baseline", {
      about: "for a network with gates: a static network that says how difficult each image is (ONNX file or zoo:NAME)",
    }),
  );
  command.addOption(
    new Option(
      "--fixed-blocks",
      "for a network with gates: search the best fixed blocks of equal cost on validation records, and compare with them, with random gates and with --baseline (McNemar's test)",
    ),
  );
  command.addOption(
    option("--records <file>", "write one row per sample and attack as a Parquet file (docs/audit-json.md)", file),
  );
  command.addOption(
    option("--table <file>", `write the results as a table, by the ending: ${FORM_ENDINGS}`, tableFile),
  );
  command.addOption(
    option(
      "--seeds <n>",
      "run the attacks with N seeds, from --seed on: mean, standard deviation and 95 % interval",
      whole(1, 5),
    ).default(1),
  );
  command.addOption(new Option("--json-samples", "the record also holds one entry for each attacked sample"));
  const shared = [
    ...policyOptions(),
    ...commons("exits", "final", "classes", "byOrder"),
    ...normalizationOptions(),
    ...commons("seed", "batch", "threads", "provider"),
  ];
  for (const one of [...shared, recordJson("docs/audit-json.md"), common("report")]) command.addOption(one);
  command.addOption(
    option(
      "--keep <folder>",
      "keep the images of each finished attack (NAME.npy) with labels.npy, indices.npy and manifest.json, and continue from them after an interruption",
      file,
    ).conflicts("store"),
  );
  command.addOption(keptOption());
  return command.addHelpText("after", HELP).action((model: string, flags: AuditFlags) => auditAction(model, flags, io));
}

const HELP = `
Attacks:
${listed(NAMED_ATTACKS.map((name) => [name, PRESETS[name].about]))}

Every method is an attack on the final exit too; \`dynn attacks\` lists them.

Examples:
  # The bundled network on the bundled images, with an HTML report
  $ dynn audit zoo:resnet20-joint --report report.html

  # Your own model on 256 CIFAR-10 test images, with threshold 0.8
  $ dynn audit model.onnx --data cifar10:data --samples 256 --threshold 0.8

  # What an attacker reaches who only has another network
  $ dynn audit zoo:resnet20-joint --surrogate zoo:resnet20-static --attacks pgd

  # Whether gates spend more on images that a static network finds difficult
  $ dynn audit gated.onnx --data cifar10:data --attacks none \\
      --baseline zoo:resnet20-static

  # Results for a paper: five seeds, a LaTeX table
  $ dynn audit zoo:resnet20-joint --attacks pgd,apgd-ce,routed --eps 2/255 \\
      --seeds 5 --table results.tex

  # Networks that skip blocks: how much of the saved work attacks bring back
  $ dynn audit gates.onnx --data cifar10:data --attacks slowdown,ilfo-linf,early

  # Two attacks, a smaller radius, your own arrays, a JSON record
  $ dynn audit model.onnx --data npy:x.npy,y.npy --attacks pgd,slowdown \\
      --eps 2/255 --json audit.json`;

async function auditAction(spec: string, flags: AuditFlags, io: Io): Promise<void> {
  const normalization = normalizationOf(flags);
  const made = describeRun({ threads: flags.threads, command: io.command });
  await checkOutputs(flags);
  const attacks =
    flags.attackFile === undefined ? undefined : parseAttackFile(await readJson(flags.attackFile), flags.attackFile);
  const matching = await matchingOf(flags);
  const given = await openDataset(flags.data);
  const model = await openModel(spec, {
    imageSize: [given.shape[1], given.shape[2]],
    ...normalization,
    ...headsOfFlags(flags),
  });
  const data = fitData(model, given, matching);
  const chosen = attacks ?? presets(flags, model);
  checkGated(flags, model);
  const { gateBaselines, ...resolved } = await resolvedRecords(flags, model, data);
  const surrogate = await surrogateOf(flags, given.shape);
  const baseline =
    flags.baseline === undefined
      ? undefined
      : await openModel(flags.baseline, { imageSize: [given.shape[1], given.shape[2]] });
  const images = { attacks: chosen, model, data: resolved.data };
  const store = flags.keep === undefined ? undefined : await keptStore(flags.keep, keptRun(flags, images, made));
  const kept = await keeperOf(flags);
  const outcome = await withProgress((onProgress) =>
    audit({
      ...resolved,
      model,
      backend: backendOf(flags),
      attacks: chosen,
      curves: curvesOf(flags),
      store,
      kept,
      seed: flags.seed,
      seeds: flags.seeds,
      batch: flags.batch,
      perSample: flags.jsonSamples,
      surrogate,
      ...{ baseline, gateBaselines },
      version: VERSION,
      made,
      signal: io.signal,
      onProgress,
      now: () => performance.now(),
    }),
  )
    .catch((thrown: unknown) => {
      throw thrown instanceof Interrupted ? interrupted(flags.keep, store) : thrown;
    })
    .finally(() => store?.close());
  io.signal.throwIfAborted();
  await writeOutputs(outcome, flags, io);
}

/** The network that attacks search on, from the files of the call. A network with several exits
 * stops as its file says, or never early. */
async function surrogateOf(
  { surrogate: specs, ensemble: form }: AuditFlags,
  shape: readonly number[],
): Promise<AuditOptions["surrogate"]> {
  if (specs === undefined) return undefined;
  const models: DynamicModel[] = [];
  for (const spec of specs) models.push(await openModel(spec, { imageSize: [shape[1], shape[2]] }));
  const model = models.length === 1 ? models[0] : ensemble(models, { form });
  const never = uniformPolicy("max-softmax", "final", NEVER_FIRES["max-softmax"], model.exits.length);
  return {
    model,
    policy: model.policy ?? never,
    names: models.map(({ name }) => name),
    form: models.length === 1 ? undefined : form,
  };
}

/** @throws DynnError 'cli/usage' when a network without gates is to be compared */
function checkGated({ baseline, fixedBlocks }: AuditFlags, { name, gates }: DynamicModel): void {
  const flag = baseline === undefined ? "--fixed-blocks" : "--baseline";
  if (gates.length > 0 || (baseline === undefined && !fixedBlocks)) return;
  throw new DynnError(
    "cli/usage",
    `${flag}: ${name} has no gates that could be compared with other networks. Leave ${flag} out. \`dynn profile --baseline\` compares the times of two networks.`,
    { model: name },
  );
}

/** Records, policy, and the records on which fixed blocks are chosen.
 * @throws DynnError 'cli/usage', 'policy/value', 'policy/validation', 'data/spec' */
async function resolvedRecords(
  flags: AuditFlags,
  model: DynamicModel,
  data: Dataset,
): Promise<ResolvedPolicy & Pick<AuditOptions, "gateBaselines">> {
  const { samples, seed, fixedBlocks } = flags;
  const given = fixedBlocks ? givenPolicy(policyRequest(flags), model) : undefined;
  if (given) {
    const { reported, validation } = await splitRecords(flags, model, data, samples, seed);
    return { data: reported, policy: { kind: "fixed", policy: given }, gateBaselines: { validation } };
  }
  const resolved = await resolvePolicyFlags(flags, model, data, samples, seed);
  if (!fixedBlocks || resolved.policy.kind === "fixed") return resolved;
  return { ...resolved, gateBaselines: { validation: resolved.policy.validation } };
}

const presets = (flags: AuditFlags, model: DynamicModel): AttackConfig[] => {
  const ctx = { epsilon: flags.eps, earlyExits: model.exits.length - 1, gates: model.gates.length };
  const configs = presetConfigs(flags.attacks ?? usable(DEFAULT_PRESETS, ctx), ctx);
  return flags.targeted === undefined ? configs : configs.map((config) => ({ ...config, target: flags.targeted }));
};

/** The class that attacks aim at. */
const aim: Reader<Aim> = (text, where) => {
  const name = AIM_NAMES.find((known) => known === text);
  if (name !== undefined) return name;
  if (/^\d+$/.test(text)) return Number(text);
  throw refuse(where, text, `${AIM_NAMES.join(", ")}, or the number of a class`, `Write e.g. ${where} least-likely`);
};

function curvesOf({ radii, eps, attackFile, attacks, curveSteps, surrogate }: AuditFlags): AuditOptions["curves"] {
  const isPlain = surrogate === undefined && attackFile === undefined && attacks?.join() !== "none";
  const wanted = radii ?? (isPlain ? [eps / 8, eps / 4, eps / 2, eps] : []);
  const rising = [...new Set(wanted)].filter((r) => r > 0).sort((a, b) => a - b);
  return rising.length > 0 ? { radii: rising, steps: curveSteps } : undefined;
}
