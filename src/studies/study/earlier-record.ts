/** @file Records of earlier versions in the form of today, so that reports of old studies stay. */
import { STUDY_RECORD_VERSION, type TransferEffects } from "../../schema/study/record.js";
import { overallOf } from "./questions/transfer-effects.js";

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** Brings the record of an earlier version to the form of today. Version 1 had effects of transfer
 * without intervals, and none over blocks. Other values pass as they are.
 * @example studyRecordSchema.parse(upgradedRecord(JSON.parse(text))) */
export function upgradedRecord(record: unknown): unknown {
  if (!isObject(record) || record.schemaVersion !== 1 || !isObject(record.questions)) return record;
  const { questions } = record;
  const transfer = isObject(questions.transfer) ? withIntervals(questions.transfer) : questions.transfer;
  return { ...record, schemaVersion: STUDY_RECORD_VERSION, questions: { ...questions, transfer } };
}

/** The samples behind an effect of a block are not in the record, so it gets no interval. */
function withIntervals(transfer: Fields): Fields {
  if (!Array.isArray(transfer.effects) || !transfer.effects.every(isObject)) return transfer;
  const effects = transfer.effects.map((each) => ({
    ...each,
    asymmetry: estimate(each.asymmetry),
    surrogate: estimate(each.surrogate),
    target: estimate(each.target),
  }));
  return { ...transfer, effects, overall: transfer.overall ?? overallOf(effects as unknown as TransferEffects[]) };
}

const estimate = (value: unknown): unknown => (typeof value === "number" ? { value, low: null, high: null } : value);
