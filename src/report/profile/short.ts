/** @file "In short" of a profile: how much faster the network is, what that costs in accuracy, and
 *  how much of the predicted saving is real. */
import type { ProfiledPoint, ProfileRecord, Saving, Spread } from "../../schema/profile-record.js";
import * as write from "../shared/format.js";

/** Two to four sentences. */
export function profileShort(record: ProfileRecord): string[] {
  const own = keyPoint(record);
  return own === undefined ? [alone(record)] : [speed(record, own), price(record, own), ...real(record, own)];
}

/** The point of the key figures: the model's own policy, else the first after "nothing leaves". */
export function keyPoint({ points }: ProfileRecord): ProfiledPoint | undefined {
  const chosen = points.filter(({ kind }) => kind === "chosen");
  return chosen.find(({ name }) => name.startsWith("own policy")) ?? chosen[1] ?? chosen[0];
}

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;

function alone({ static: fixed, batches, data }: ProfileRecord): string {
  const times = batches.map((batch) => {
    const found = fixed.timings.find((timing) => timing.batch === batch);
    return `${found ? ms(found.msPerImage.median) : "no time"} at batch ${batch}`;
  });
  return `The static network is right on ${write.rate(fixed.accuracy)} of ${write.samples(data.samples)} and takes ${times.join(", ")} for an image.`;
}

/** "1.80 times as fast (1.71–1.88)". It is unsure where the range holds 1. */
function factor({ median, low, high }: Spread): string {
  const doubt = low <= 1 && high >= 1 ? ", which is unsure" : median < 1 ? ", so slower" : "";
  return `${median.toFixed(2)} times as fast (${low.toFixed(2)}–${high.toFixed(2)})${doubt}`;
}

const savingAt = ({ timings }: ProfiledPoint, batch: number): Saving | undefined =>
  timings.find((timing) => timing.batch === batch);

function speed({ batches }: ProfileRecord, own: ProfiledPoint): string {
  const found = [...new Set([batches[0], batches[batches.length - 1]])].flatMap((batch) => {
    const saving = savingAt(own, batch);
    return saving ? [`at batch ${batch} ${factor(saving.speedUp)}`] : [];
  });
  return `Compared with the static network of the same weights, ${own.name} is ${found.join("; ")}.`;
}

function price({ static: fixed, data }: ProfileRecord, { name, accuracy }: ProfiledPoint): string {
  const lost = fixed.accuracy.value - accuracy.value;
  const compared =
    Math.abs(lost) < 0.0005
      ? "as many as the static network"
      : `${write.points(Math.abs(lost))} ${lost > 0 ? "fewer" : "more"} than the static network`;
  return `${name} is right on ${write.rate(accuracy)} of ${write.samples(data.samples)}, ${compared}.`;
}

function real({ batches }: ProfileRecord, own: ProfiledPoint): string[] {
  const batch = batches[batches.length - 1];
  const share = savingAt(own, batch)?.realSaving;
  if (share === undefined || share === null) return [];
  return [
    `It saves ${write.percent(1 - own.macsFraction)} of the MACs; at batch ${batch}, ${write.percent(share)} of this saving is saved in time too.`,
  ];
}
