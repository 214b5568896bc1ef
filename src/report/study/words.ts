/** @file How a study's report writes effects, probabilities and verdicts, and why a section is
 *  empty. */
import { counted } from "../../core/units.js";
import type { Scale } from "../../schema/study/claims.js";
import {
  CLAIMS,
  type Claim,
  type Estimate,
  type Role,
  type StudyRecord,
  type StudyVerdict,
} from "../../schema/study/record.js";
import * as write from "../shared/format.js";
import { type Html, html } from "../shared/html.js";

const NBSP = "\u00a0";
const MINUS = "−";

/** What stands where the record has no number. */
export const DASH = "–";

/** A number with a true minus sign. */
const signed = (text: string): string => text.replace(/^-(?=.*[1-9])/, MINUS).replace(/^-/, "");

/** Three significant digits. */
export const plain = (value: number): string => signed(String(Number(value.toPrecision(3))));

/** The number of an effect without its unit. */
const BARE: Readonly<Record<Scale, (value: number) => string>> = {
  share: (value) => signed((100 * value).toFixed(1)),
  logarithm: (value) => Math.exp(value).toFixed(2),
  plain,
};
const UNITS: Readonly<Record<Scale, string>> = { share: `${NBSP}points`, logarithm: "×", plain: "" };

/** The scale of a claim's effects. */
export const scaleOf = ({ scale = "plain" }: Pick<StudyVerdict, "scale">): Scale => scale;

/** An effect as "3.1 points", "1.20×" or "0.31". */
export const size = (value: number, scale: Scale): string => `${BARE[scale](value)}${UNITS[scale]}`;

/** An effect on an axis: "3", "1.2×". */
export const tick = (value: number, scale: Scale): string =>
  scale === "logarithm" ? `${plain(Math.exp(value))}×` : plain(scale === "share" ? 100 * value : value);

/** What stands below an axis of effects. */
export const axis = (unit: string, scale: Scale): string =>
  ({ share: `${unit}, points`, logarithm: `${unit}, ratio`, plain: unit })[scale];

/** An interval as "(1.2 to 5.0)". Nothing where it could not be computed. */
export const range = ({ low, high }: Estimate, scale: Scale): string =>
  low === null || high === null ? "" : `(${BARE[scale](low)}${NBSP}to${NBSP}${BARE[scale](high)})`;

/** "3.1 points (1.2 to 5.0)", or a dash. */
export const effect = (estimate: Estimate | null, scale: Scale): string =>
  estimate === null ? DASH : `${size(estimate.value, scale)} ${range(estimate, scale)}`.trim();

/** "3.1 (1.2 to 5.0)", in points. */
export const bare = ({ value, ...ends }: Estimate): string =>
  `${BARE.share(value)} ${range({ value, ...ends }, "share")}`.trim();

/** A change of a share: "−1.2 points", or a dash. */
export const points = (value: number | null): string => (value === null ? DASH : size(value, "share"));

/** A share that may lack: "41.4 %". */
export const share = (value: number | null): string => (value === null ? DASH : write.percent(value));

/** A probability as "0.012", or "< 0.001". */
export function probability(p: number | null): string {
  if (p === null) return DASH;
  return p < 0.001 ? `<${NBSP}0.001` : p.toFixed(3);
}

/** A radius in pixel units. The norm is not known here: a multiple of 1/255 is taken for L∞. */
export const radius = (value: number | null): string =>
  value === null ? "no limit" : value === 0 ? "0" : write.radius("linf", value);

/** A name that is not broken, where the screen is wide enough. */
export const unbroken = (name: string): Html => html`<span class="name">${name}</span>`;

/** Whether two radii are the same. */
export const same = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9;

/** Whether a radius is the primary one. An attack without a radius has only one. */
export const isPrimary = ({ radius: { primary } }: StudyRecord, value: number | null): boolean =>
  value === null || same(value, primary);

/** "6 blocks". */
export const several = (n: number, one: string, many = `${one}s`): string => counted(n, one, many).replace(" ", NBSP);

const MARKS = {
  supported: { sign: "✓", name: "supported" },
  refuted: { sign: "✗", name: "refuted" },
  "practically-nil": { sign: "≈", name: "nil" },
  inconclusive: { sign: "?", name: "inconclusive" },
} as const satisfies Record<StudyVerdict["verdict"], { readonly sign: string; readonly name: string }>;

/** A verdict with its mark: colour is never the only sign. */
export const verdictMark = (verdict: StudyVerdict["verdict"]): Html =>
  html`<b class="verdict ${MARKS[verdict].name}"><span aria-hidden="true">${MARKS[verdict].sign}</span>${NBSP}${verdictName(verdict)}</b>`;

/** "practically nil". */
export const verdictName = (verdict: StudyVerdict["verdict"]): string => verdict.replace("-", " ");

/** A text with a capital at its start and a point at its end. */
export const sentence = (text: string): string =>
  text === "" ? "" : `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** The verdict of a claim, where the plan asks about it. */
export const verdictOf = ({ verdicts }: StudyRecord, claim: Claim): StudyVerdict | undefined =>
  verdicts.find((verdict) => verdict.claim === claim);

/** The claims of a record, in order. */
export const claimsOf = (record: StudyRecord): Claim[] =>
  CLAIMS.filter((claim) => verdictOf(record, claim) !== undefined);

/** One sentence: why a question has nothing to show.
 * @param roles what its networks must be */
export function whyEmpty(record: StudyRecord, claim: Claim, roles: readonly Role[]): string {
  if (verdictOf(record, claim) === undefined) return `The plan does not ask about ${claim}.`;
  if (record.networks.length === 0) return "The study has no network.";
  const missing = roles.filter((role) => !record.networks.some((network) => network.role === role));
  if (missing.length > 0) return `The study has no network of the role ${missing.join(" or ")}.`;
  return "No task of this question has a result yet.";
}

/** The cell of a block. A block that the record does not list is its own cell. */
export const cellName = ({ blocks }: StudyRecord, block: string): string =>
  blocks.find(({ name }) => name === block)?.cell ?? block;
