/** @file `dynn zoo verify`: compares files with the index, and measures their accuracy again. */

import type { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { openDataset } from "../../node/data/open.js";
import { findNetwork, localPlace } from "../../node/zoo/places.js";
import { rightAnswers } from "../../node/zoo/stock.js";
import type { ZooResult } from "../../schema/zoo.js";
import type { Io } from "../shared/io.js";
import { withProgress } from "../shared/progress.js";
import { percent } from "../shared/table.js";
import { archivesOption } from "./list.js";
import { chosen, openIndex } from "./networks.js";

/** Share of the answers that may differ: another machine rounds the last bits in another way. */
const TOLERANCE = 5e-4;

export const verifyCommand = (command: Command, io: Io): Command =>
  command
    .addOption(archivesOption("measure the accuracy again on the test records in this folder"))
    .addHelpText("after", HELP)
    .action((names: readonly string[], flags: { readonly data?: string }) => verifyAction(names, flags, io));

const HELP = `
Without names, all networks of this machine are verified. Accuracy is measured
by onnxruntime-node on the file as it is. Exit code 1 means that a file differs.

Example:
  $ dynn zoo verify --data data`;

async function verifyAction(names: readonly string[], { data }: { readonly data?: string }, io: Io): Promise<void> {
  const index = await openIndex();
  const known = chosen(index, names).filter(([name, { result }]) => names.length > 0 || (result && localPlace(name)));
  let wrong = 0;
  for (const [name, network] of known) {
    const { path } = await findNetwork(name);
    const { result } = network;
    const off =
      data === undefined || !result ? undefined : await measureAgain(path, result, `${network.data}:${data}`, io);
    if (off && !off.same) wrong++;
    io.out(`${name}: SHA-256 as in the index${off ? `; ${off.line}` : ""}\n`);
  }
  io.out(`${known.length} verified${wrong > 0 ? `, ${wrong} with another accuracy` : ""}.\n`);
  if (wrong > 0)
    throw new DynnError(
      "zoo/damaged",
      `${wrong} of ${counted(known.length, "network does", "networks do")} not have the accuracy of the index. Check that the data are those of the index.`,
      { wrong },
    );
}

async function measureAgain(
  path: string,
  { exits, gates }: ZooResult,
  spec: string,
  io: Io,
): Promise<{ readonly same: boolean; readonly line: string }> {
  const data = await openDataset(`${spec}#test`);
  const right = await withProgress((update) =>
    rightAnswers(path, data, {
      signal: io.signal,
      onProgress: (done, total) => update({ phase: "test records", done, total }),
    }),
  );
  const differences = exits.map(({ test }, k) => Math.abs(right[k] - test.right));
  const most = Math.max(...differences);
  const share = (right.at(-1) ?? 0) / data.count;
  return {
    same: data.count === exits[0]?.test.count && most <= TOLERANCE * data.count,
    line: `${percent(share)} at the final exit; at most ${most} of ${counted(data.count, "answer")} of an exit differ in number from the index${gates ? `; ${counted(gates.gates.length, "gate")}, ${percent(gates.cost)} of the cost in the index` : ""}`,
  };
}
