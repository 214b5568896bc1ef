/** @file Prints a model card for a terminal. */
import { showCount } from "../../core/units.js";
import { wilson } from "../../measures/wilson.js";
import type { ModelCard } from "../../schema/model-card.js";
import { heading, notesAndWarnings, percent, showRate, table } from "./table.js";

/** The origin of a model, and the accuracy of its exits. */
export function cardTable({ architecture, data, training, parameters, exits }: ModelCard): string {
  const shown = ({ right, count }: { readonly right: number; readonly count: number }) =>
    showRate(wilson(right, count));
  const test = exits.some((e) => e.test !== null);
  return [
    heading(`${architecture}, trained on ${data.train.name}`),
    `recipe ${training.recipe}, ${training.epochs} epochs, batch ${training.batch}, ${training.optimizer.kind}, seed ${training.seed}, ${showCount(parameters)} parameters\n`,
    `${data.train.count} images trained on, ${data.validation.count} for validation${data.test ? `, ${data.test.count} for the test` : ""}\n${notesAndWarnings(data.notes)}\n`,
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
  ].join("");
}
