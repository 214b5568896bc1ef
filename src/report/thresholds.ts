/** @file Thresholds as people write them. A closed exit has a number that its rule's confidence never reaches; docs/calibration.md names them. */
import type { AuditRecord } from "../measures/audit-record.js";

type Rule = AuditRecord["clean"]["routed"]["rule"];

const CLOSED: Readonly<Record<Rule, number>> = {
  "max-softmax": 2,
  entropy: -1,
  margin: 2,
  patience: Number.MAX_SAFE_INTEGER,
};

export const showThreshold = (rule: Rule, threshold: number, digits = 4): string =>
  threshold === CLOSED[rule] ? "never" : String(Number(threshold.toPrecision(digits)));

/** One where all are equal. */
export const showThresholds = (rule: Rule, thresholds: readonly number[]): string => {
  const shown = thresholds.map((threshold) => showThreshold(rule, threshold));
  return new Set(shown).size === 1 ? shown[0] : shown.join(", ");
};
