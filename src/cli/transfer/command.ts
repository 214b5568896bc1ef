/** @file `dynn transfer`: measures how attacks that are made on one network work on others. */

import type { Command } from "commander";
import { presetConfigs } from "../../attacks/presets.js";
import { parseAttackFile } from "../../attacks/spec.js";
import { DynnError } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import { fitData } from "../../data/fit.js";
import { reportedOf } from "../../data/split.js";
import { openDataset } from "../../node/data/open.js";
import { checkWritable, readJson, writeText } from "../../node/files.js";
import { describeRun } from "../../node/machine.js";
import { openModel } from "../../node/models.js";
import { type TransferOptions, transfer } from "../../studies/transfer/index.js";
import { type BackendFlags, backendOf } from "../shared/backend-options.js";
import { matchingOf } from "../shared/class-options.js";
import { type CommonFlags, common, commons, recordJson } from "../shared/common-options.js";
import { checkDistinct } from "../shared/distinct.js";
import type { Io } from "../shared/io.js";
import { keeperOf, keptOption } from "../shared/kept-option.js";
import { type PolicyFlags, policyOptions, resolvePolicyFlags } from "../shared/policy-options.js";
import { withProgress } from "../shared/progress.js";
import { transferTables } from "./tables.js";

type Shared = CommonFlags<"data" | "eps" | "seed", "samples" | "batch" | "attacks" | "attackFile" | "json" | "report">;

interface TransferFlags extends PolicyFlags, BackendFlags, Shared {
  readonly store?: string;
}

/** The default number of samples. */
const SAMPLES = 500;

export function transferCommand(command: Command, io: Io): Command {
  command
    .addOption(common("data"))
    .addOption(common("samples", { about: `attack among the first N records (default: up to ${SAMPLES})` }))
    .addOption(common("eps"))
    .addOption(common("attacks", { about: "names of attacks (`dynn attacks` lists them) (default: pgd)" }))
    .addOption(common("attackFile"));
  for (const one of [
    ...policyOptions(),
    ...commons("classes", "byOrder", "seed", "batch", "threads", "provider"),
    recordJson("docs/transfer.md"),
    common("report"),
    keptOption(),
  ])
    command.addOption(one);
  return command
    .addHelpText("after", HELP)
    .action((models: string[], flags: TransferFlags) => transferAction(models, flags, io));
}

const HELP = `
Every network is a surrogate and a target. Only samples that all networks get
right when clean are attacked, and all of them count. Methods that offer it take
their last image, because the first success on a surrogate hardly transfers.

Examples:
  # A static network and two dynamic ones, with a heat map
  $ dynn transfer zoo:resnet20-static zoo:resnet20-joint zoo:resnet56-joint \\
      --report transfer.html

  # Two attacks at a smaller radius, with a JSON record
  $ dynn transfer a.onnx b.onnx --attacks pgd,fgsm --eps 4/255 --json -`;

async function transferAction(specs: readonly string[], flags: TransferFlags, io: Io): Promise<void> {
  if (specs.length < 2)
    throw new DynnError("cli/usage", "transfer: got one network, expected at least two. Name another one.", { specs });
  const made = describeRun({ threads: flags.threads, command: io.command });
  await checkDistinct({ "--json": flags.json, "--report": flags.report });
  for (const path of [flags.json, flags.report]) if (path !== undefined && path !== "-") await checkWritable(path);
  const file = flags.attackFile;
  const attacks =
    file === undefined
      ? presetConfigs(flags.attacks ?? ["pgd"], { epsilon: flags.eps, earlyExits: 0 })
      : parseAttackFile(await readJson(file), file);
  const matching = await matchingOf(flags);
  const given = await openDataset(flags.data);
  const networks: TransferOptions["networks"][number][] = [];
  let data = given;
  for (const spec of specs) {
    const model = await openModel(spec, { imageSize: [given.shape[1], given.shape[2]] });
    const fitted = fitData(model, given, matching);
    const resolved = await resolvePolicyFlags(flags, model, fitted, flags.samples, flags.seed);
    networks.push({ model, policy: resolved.policy });
    // Reported records are the first ones. A network that needs validation records reports fewer.
    if (resolved.data.count < data.count) data = resolved.data;
  }
  data = reportedOf(data, flags.samples ?? Math.min(SAMPLES, data.count));
  const kept = await keeperOf(flags);
  const record = await withProgress((onProgress) =>
    transfer({
      ...{ networks, data, attacks, seed: flags.seed, batch: flags.batch, version: VERSION, made, onProgress },
      ...{ backend: backendOf(flags), signal: io.signal, kept, now: () => performance.now() },
    }),
  );
  io.signal.throwIfAborted();
  const json = `${JSON.stringify(record, undefined, 2)}\n`;
  if (flags.report !== undefined) {
    const { renderTransfer } = await import("../../report/transfer/page.js");
    await writeText(flags.report, renderTransfer(record));
  }
  if (flags.json !== undefined && flags.json !== "-") await writeText(flags.json, json);
  if (flags.json === "-") return io.out(json);
  io.out(transferTables(record));
  for (const path of [flags.report, flags.json]) if (path !== undefined) io.out(`wrote ${path}\n`);
}
