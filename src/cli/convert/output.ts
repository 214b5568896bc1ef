/** @file Prints the results of `dynn convert`: the places of exits with reasons, and the effect of
 *  the policy. */

import { showShape } from "../../core/shape.js";
import { wilson } from "../../measures/wilson.js";
import type { Placement } from "../../schema/model-card.js";
import { NEVER_FIRES, showThresholds } from "../../schema/policy.js";
import type { PlaceReport } from "../../training/convert/plan.js";
import type { Measurement, Tally } from "../../training/convert/policy.js";
import { heading, percent, showRate, table } from "../shared/table.js";

/** Every place for an exit, with its cost and the reason when it does not get an exit. */
export const placesTable = (places: readonly PlaceReport[], placement?: Placement): string =>
  heading(`Places for an exit${placement?.cost === "time" ? `, cost measured at batch ${placement.batch}` : ""}`) +
  table(
    [
      { head: "place", align: "left" },
      { head: "shape", align: "left" },
      { head: "cost" },
      { head: "head" },
      { head: "exit", align: "left" },
      { head: "why not", align: "left" },
    ],
    places.map((place) => [
      place.cut,
      showShape(place.shape),
      percent(place.fraction),
      percent(place.headFraction),
      place.exit ?? "-",
      place.exit === undefined ? (place.unfit ?? `near ${nearest(place, places)}`) : "",
    ]),
  );

/** The exit nearest in cost. */
function nearest({ fraction }: PlaceReport, places: readonly PlaceReport[]): string | undefined {
  const distance = (place: PlaceReport) => Math.abs(place.fraction - fraction);
  return places.filter(({ exit }) => exit !== undefined).sort((a, b) => distance(a) - distance(b))[0]?.exit;
}

/** The policy in the file, and its effect on each part of the data. */
export function policyLines({ policy, validation, test }: Measurement): string {
  if (!policy) return "";
  const { rule, thresholds } = policy;
  const idle = thresholds.every((t) => t === NEVER_FIRES[rule]);
  const parts: readonly (readonly [name: string, tally: Tally | undefined])[] = [
    ["validation", validation],
    ["test", test],
  ];
  return [
    heading("Policy"),
    idle
      ? "no early exit keeps 95 % of the final accuracy, so every image uses the final exit\n\n"
      : `${rule} ${showThresholds(policy)}: the cheapest that keeps 95 % of the final accuracy on the ${validation.count} validation images\n\n`,
    table(
      [
        { head: "images", align: "left" },
        { head: "final exit alone" },
        { head: "with the policy" },
        { head: "mean cost" },
      ],
      parts.flatMap(([name, tally]) =>
        tally?.routed
          ? [
              [
                name,
                showRate(wilson(tally.right.at(-1) ?? 0, tally.count)),
                showRate(wilson(tally.routed.right, tally.count)),
                percent(tally.routed.cost),
              ],
            ]
          : [],
      ),
    ),
  ].join("");
}
