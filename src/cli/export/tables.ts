/** @file Prints the results of `dynn export`: the files, the exits with the number of images that
 *  stopped there, and how well the export agrees with the model. */
import { counted, showCount } from "../../core/units.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Exported } from "../../node/deploy/export.js";
import { heading, percent, showPolicy, table } from "../shared/table.js";

export function exportTables(model: DynamicModel, format: string, exported: Exported, from: string): string {
  const { files, out, policy, verification: v } = exported;
  const exits = model.exits.map(({ name, costFraction }, k) => [
    name,
    percent(costFraction),
    percent(v.stops[k] / v.samples),
  ]);
  return [
    heading(`${model.name}, ${format}`),
    `policy: ${showPolicy(policy)}\n`,
    table([{ head: "exit", align: "left" }, { head: "cost" }, { head: "stopped here" }], exits),
    heading("Compared with the model"),
    `${counted(v.samples, "image")}: ${from}\n`,
    `equal labels and exits; logits differ by at most ${v.largestDifference.toExponential(1)} of the largest (allowed: ${v.tolerance})\n`,
    closeCalls(v),
    heading("Written"),
    table(
      [{ head: "file", align: "left" }, { head: "bytes" }],
      files.map(({ name, bytes }) => [name, showCount(bytes)]),
    ),
    `wrote ${out}\n`,
  ].join("");
}

const closeCalls = ({ closeCalls: count, changed }: Exported["verification"]): string =>
  count === 0
    ? ""
    : `close calls, where the model's own decision depends on rounding: ${count}, of which ${changed} had another outcome\n`;
