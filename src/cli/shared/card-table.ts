/** @file Prints a model card for a terminal. */
import { counted, showCount } from "../../core/units.js";
import { wilson } from "../../measures/wilson.js";
import type { ModelCard } from "../../schema/model-card.js";
import { heading, notesAndWarnings, percent, showRate, table } from "./table.js";

/** The origin of a model, and the accuracy of its exits. */
export function cardTable(card: ModelCard): string {
  const { architecture, data, training, parameters, exits, gates = [] } = card;
  const shown = ({ right, count }: { readonly right: number; readonly count: number }) =>
    showRate(wilson(right, count));
  const test = exits.some((e) => e.test !== null);
  return [
    heading(`${architecture}, trained on ${data.train.name}`),
    `recipe ${training.recipe}, ${counted(training.epochs, "epoch")}, batch ${training.batch}, ${training.optimizer.kind}, seed ${training.seed}, ${showCount(parameters)} parameters\n`,
    `${counted(data.train.count, "image")} trained on, ${data.validation.count} for validation${data.test ? `, ${data.test.count} for the test` : ""}\n${notesAndWarnings(data.notes)}\n`,
    table(
      [
        { head: "exit", align: "left" },
        { head: "MACs" },
        { head: "cost" },
        { head: "validation" },
        ...(test ? [{ head: "test" }] : []),
      ],
      exits.map((e) => [
        e.name,
        showCount(e.macs),
        percent(e.costFraction),
        shown(e.validation),
        ...(e.test ? [shown(e.test)] : []),
      ]),
    ),
    ...(gates.length > 0 ? ["\n", gatesTable(gates), meanCost(card)] : []),
  ].join("");
}

type Gates = NonNullable<ModelCard["gates"]>;

const openShare = ({ open, count }: Gates[number]["validation"]): number => open / count;

/** How often each gate is open. */
function gatesTable(gates: Gates): string {
  const test = gates.some((gate) => gate.test !== null);
  return table(
    [{ head: "gate", align: "left" }, { head: "MACs" }, { head: "open" }, ...(test ? [{ head: "open (test)" }] : [])],
    gates.map((gate) => [
      gate.name,
      showCount(gate.macs),
      percent(openShare(gate.validation)),
      ...(gate.test ? [percent(openShare(gate.test))] : []),
    ]),
  );
}

/** The mean cost of the final answer on validation records, as a share of the cost with all gates
 * open. */
function meanCost({ exits, gates = [] }: ModelCard): string {
  const full = exits.at(-1)?.macs ?? 0;
  const saved = gates.reduce((sum, { macs, validation }) => sum + macs * (1 - openShare(validation)), 0);
  return `mean cost ${percent((full - saved) / full)} of all blocks\n`;
}
