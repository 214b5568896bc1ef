/** @file The verdict of a profile in sentences, and one row per distinct decision. Read by: cli,
 *  the report of a profile. */
import { showGateRule, showThresholds } from "../../schema/policy.js";
import type { ProfiledPoint, ProfileRecord } from "../../schema/profile-record.js";
import * as write from "../shared/format.js";
import { lossWords, type Speed, speedOf, speedWords } from "../shared/verdict.js";

/** The names of points in a record, and in words. A record keeps its names, because programs read
 * them. */
const WORDS: Readonly<Record<string, string>> = {
  "rad 5 %": "keep 95 %",
  "rad 15 %": "keep 85 %",
  "budget 50 %": "half the work",
};

/** The name of a point in words: "own policy, rad 5 %" is "own policy = keep 95 %". */
export const pointWords = (name: string): string =>
  name
    .split(", ")
    .map((part) => WORDS[part] ?? part)
    .join(" = ");

/** What those names mean. */
export const POINT_NOTES =
  "keep 95 % (85 %): the cheapest thresholds that keep this share of the final exit's accuracy on the validation images, a relative accuracy drop (rad) of 5 % (15 %). half the work: the most accurate thresholds at half of the multiply-accumulates.";

/** A point with all names of points that decide the same. */
export interface Decision {
  readonly name: string;
  readonly point: ProfiledPoint;
}

/** The chosen points, one per distinct decision. The point whose exits never fire comes last. */
export function decisionsOf({ points }: Pick<ProfileRecord, "points">): Decision[] {
  const chosen = points.filter(({ kind }) => kind === "chosen");
  const distinct = chosen.filter(({ sameAs }) => sameAs === undefined);
  const namesOf = (point: ProfiledPoint): string =>
    [point, ...chosen.filter(({ sameAs }) => sameAs === point.name)].map(({ name }) => pointWords(name)).join(" = ");
  const all = distinct.map((point) => ({ name: namesOf(point), point }));
  return [...all.filter(({ point }) => !isIdle(point)), ...all.filter(({ point }) => isIdle(point))];
}

/** Whether a point shows the cost of exits that save nothing. */
export const isIdle = ({ name }: ProfiledPoint): boolean => name.startsWith("nothing leaves");

/** The point that a verdict is about: the model's own policy, else the first that was chosen. */
export function judgedPoint(record: Pick<ProfileRecord, "points">): Decision | undefined {
  const all = decisionsOf(record);
  return all.find(({ name }) => name.includes("own policy")) ?? all[0];
}

/** The verdict: the speed at every batch size and the loss of accuracy, which policy that is, and
 * what to do where it does not pay. */
export function profileVerdict(record: ProfileRecord): string[] {
  const judged = judgedPoint(record);
  if (!judged) return alone(record);
  const { point } = judged;
  const [first, ...others] = point.timings.map(({ batch, speedUp }) => ({
    batch,
    text: `At batch ${batch}: ${speedWords(speedUp)}`,
  }));
  const loss = point.lost ? `, ${lossWords(point.lost)}` : "";
  const policy = `${showThresholds(point)}${showGateRule(point)}`.replace(/^, /, "");
  return [
    [`${first.text}${loss}.`, ...others.map(({ text }) => `${text}.`)].join(" "),
    `That is "${judged.name}" (${point.exitCounts.length > 1 ? `${point.rule} ${policy}` : policy || "gates as they are"}) against the same network without early exits${record.model.gates ? " and with every block" : ""}.`,
    ...real(record, point),
    ...adviceOf(record, point),
  ];
}

/** A network without units that change its work. */
function alone({ static: fixed, batches, data, model }: ProfileRecord): string[] {
  const times = batches.map((batch) => {
    const found = fixed.timings.find((timing) => timing.batch === batch);
    return `${found ? `${Number(found.msPerImage.median.toPrecision(3))} ms` : "no time"} at batch ${batch}`;
  });
  return [
    `The static network is right on ${write.rate(fixed.accuracy)} of ${write.samples(data.samples)} and takes ${times.join(", ")} for an image.`,
    `${model.name} has one exit and no gates, so nothing can be saved. dynn convert gives it early exits.`,
  ];
}

/** How much of the saving of MACs is one of time. */
function real({ batches }: ProfileRecord, { macsFraction, timings }: ProfiledPoint): string[] {
  const batch = batches[batches.length - 1];
  const share = timings.find((timing) => timing.batch === batch)?.realSaving;
  if (share === undefined || share === null) return [];
  return [
    `It leaves out ${write.percent(1 - macsFraction)} of the multiply-accumulates (MACs); at batch ${batch}, ${write.percent(share)} of this saving is saved in time too.`,
  ];
}

function adviceOf({ rounds, batches, points }: ProfileRecord, { timings }: ProfiledPoint): string[] {
  const speeds = new Set<Speed>(timings.map(({ speedUp }) => speedOf(speedUp)));
  const idle = points.find(isIdle);
  const slow = speeds.has("slower") && !speeds.has("faster");
  return [
    ...(rounds === 1 ? ["One round gives no range. Measure more rounds before you rely on a time."] : []),
    ...(speeds.has("unsure")
      ? ["Unsure: the range over the rounds holds 1. Measure on a quiet machine, or in more rounds."]
      : []),
    ...(slow
      ? [
          `Early exits save no time here${batches.length > 1 ? " at any batch size" : ""}.${idle ? ` "${pointWords(idle.name)}" shows what the exits alone cost.` : ""} \`dynn convert --cost time\` puts exits where they save time on this machine.`,
        ]
      : []),
  ];
}
