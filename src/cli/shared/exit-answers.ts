/** @file A table of what every exit answers for one image. */
import type { ExitAnswer } from "../../dynamic/route/exit-answers.js";
import { percent, table } from "./table.js";

const left = (head: string) => ({ head, align: "left" as const });

/** A class by its name, else by its number. */
export const classOf = ({ label, className }: ExitAnswer): string => className ?? String(label);

/** One row per exit. With `after`, what the exits answer for a second image stands beside it. The
 * mark shows where the network stops. */
export function exitAnswersTable(before: readonly ExitAnswer[], after?: readonly ExitAnswer[]): string {
  const rows = before.map((one, k) => [
    one.exit,
    percent(one.costFraction),
    one.threshold === undefined ? "" : one.threshold.toFixed(3),
    ...cellsOf(one),
    ...(after ? cellsOf(after[k]) : []),
  ]);
  const cells = (head: string) => [left(head), { head: "confidence" }, left("")];
  return table(
    [
      left("exit"),
      { head: "cost" },
      { head: "threshold" },
      ...cells(after ? "before" : "label"),
      ...(after ? cells("after") : []),
    ],
    rows,
  );
}

const cellsOf = (one: ExitAnswer): string[] => [classOf(one), one.confidence.toFixed(3), one.stops ? "< stops" : ""];
