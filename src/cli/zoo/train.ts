/** @file `dynn zoo train`: trains what is missing, in order, and publishes it. */

import { existsSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { cachedZoo } from "../../node/cache.js";
import { packageFile } from "../../node/data/package-root.js";
import { type FolderLock, lockFolder } from "../../node/folder-lock.js";
import { ortNode } from "../../node/ort-node/index.js";
import { openTrainingData } from "../../node/training/data.js";
import { indexOf } from "../../node/zoo/index-file.js";
import { findNetwork } from "../../node/zoo/places.js";
import { isPublished, publishNetwork } from "../../node/zoo/publish.js";
import type { ZooIndex } from "../../schema/zoo.js";
import { Interrupted } from "../shared/interrupt.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";
import { withProgress } from "../shared/progress.js";
import { percent } from "../shared/table.js";
import { trainCommand } from "../train/command.js";
import { stemOf, trainArguments } from "./arguments.js";
import { archivesOption, tierOption } from "./list.js";
import type { TrainZooFlags } from "./networks.js";
import { chosen, type Named, openIndex } from "./networks.js";
import { showPlan } from "./plan.js";

export const trainZooCommand = (command: Command, io: Io): Command =>
  command
    .addOption(tierOption())
    .addOption(archivesOption("folder that holds the unpacked CIFAR archives").makeOptionMandatory())
    .option("--plan", "train nothing: print what is missing, and the hours that it needs on this machine")
    .addOption(option("--index <file>", "index of the networks to train (default: dynn's own)", file))
    .addOption(option("-o, --out <folder>", "folder of the finished networks (default: the cache)", file))
    .addHelpText("after", HELP)
    .action((names: readonly string[], flags: TrainZooFlags) => trainAction(names, flags, io));

const HELP = `
The number of threads comes from the index, because it decides the last bits.
The same version of dynn then gives the same bytes. Networks that another one
begins with are trained before it. Unfinished runs stay in the cache: call the
command again to go on.

Examples:
  $ dynn zoo train --tier small --data data --plan
  $ dynn zoo train resnet20-cifar10-static-s1 --data data`;

async function trainAction(names: readonly string[], flags: TrainZooFlags, io: Io): Promise<void> {
  if (names.length === 0 && flags.tier === undefined && flags.index === undefined)
    throw new DynnError("cli/usage", "dynn zoo train: which networks? Name them, or name a tier: --tier small.", {});
  const index = await openIndex(flags.index);
  const folder = flags.out ?? cachedZoo();
  const wanted = withInits(index, chosen(index, names, flags.tier));
  const missing = await missingOf(wanted, folder);
  io.out(
    `${wanted.length - missing.length} of ${counted(wanted.length, "network is", "networks are")} trained in ${folder}.\n`,
  );
  if (flags.plan) return showPlan(missing, flags, io);
  await mkdir(folder, { recursive: true });
  const work = join(cachedZoo(), "training");
  await mkdir(work, { recursive: true });
  const lock: FolderLock = lockFolder(work);
  try {
    for (const [i, named] of missing.entries()) {
      io.err(`\n[${i + 1}/${missing.length}] ${named[0]}\n`);
      await trainOne(named, { index, folder, work, data: flags.data }, io);
    }
  } catch (thrown) {
    if (!(thrown instanceof Interrupted)) throw thrown;
    throw new Interrupted("Interrupted. The same command goes on from the last checkpoint.");
  } finally {
    lock.release();
  }
}

/** The networks, each behind the one that it begins with. */
function withInits(index: ZooIndex, wanted: readonly Named[]): Named[] {
  const order = new Map<string, Named[1]>();
  const add = (name: string): void => {
    const network = index.networks[name];
    if (order.has(name)) return;
    if (network.init !== null) add(network.init);
    order.set(name, network);
  };
  for (const [name] of wanted) add(name);
  return [...order];
}

async function missingOf(wanted: readonly Named[], folder: string): Promise<Named[]> {
  const published = await indexOf(folder);
  const checked = await Promise.all(
    wanted.map(async (named) => ((await isPublished(folder, named[0], published)) ? [] : [named])),
  );
  return checked.flat();
}

interface Workplace {
  readonly index: ZooIndex;
  readonly folder: string;
  readonly work: string;
  readonly data: string;
}

async function trainOne([name, network]: Named, { index, folder, work, data }: Workplace, io: Io): Promise<void> {
  const stem = join(work, name);
  const init = network.init === null ? undefined : await fileIn(folder, network.init);
  const { runs, baseline } = network;
  if (baseline !== undefined) await fileIn(folder, baseline);
  for (const [i, argv] of trainArguments(network, { stem, data, init }).entries()) {
    if (existsSync(`${stemOf({ stem }, i, runs.length)}.onnx`)) continue;
    const command = trainCommand(new Command("train").exitOverride(), { ...io, out: io.err });
    await command.argument("<architecture>").parseAsync(argv, { from: "user" });
  }
  const { validation, test } = await openTrainingData({
    ...{ data: `${network.data}:${data}`, validation: { kind: "share", share: 0.1 } },
  });
  const metrics = runs.map((_, i) => join(`${stemOf({ stem }, i, runs.length)}.run`, "metrics.jsonl"));
  const result = await withProgress((onProgress) =>
    publishNetwork({
      ...{ name, network, trained: `${stem}.onnx`, metrics, folder, index },
      inGit: resolve(folder) === resolve(packageFile("zoo")),
      measurement: { data: { validation, test }, backend: ortNode(), batch: 100, signal: io.signal, onProgress },
    }),
  );
  const final = result.exits.at(-1)?.test;
  io.out(
    `${name}: ${final ? percent(final.right / final.count) : "-"} at the final exit, ${(result.file.bytes / 1e6).toFixed(1)} MB, ${join(folder, `${name}.onnx`)}\n`,
  );
}

/** The file of another network, in the folder: a frozen backbone must lie beside the file that
 * refers to it, and publishing reads it there. */
async function fileIn(folder: string, name: string): Promise<string> {
  const path = join(folder, `${name}.onnx`);
  if (!existsSync(path)) await copyFile((await findNetwork(name)).path, path);
  return path;
}
