/** @file Which parts of a block each question compares, so that a plan can say how many blocks it
 *  will count. */
import type { StudyPlan } from "../../schema/study/plan.js";
import type { Claim, Role } from "../../schema/study/record.js";

/** Of every list, a block must have one part at least. */
const PARTS: Readonly<Record<Claim, readonly (readonly Role[])[]>> = {
  C0: [["static"], ["joint"]],
  C1: [["static"], ["joint"]],
  C2: [["static"], ["joint"]],
  C3: [["static"], ["joint"]],
  C4: [["dense", "ic-only"]],
  C5: [["joint", "ic-only", "dense", "dense-joint", "dense-joint-g0.1", "dense-joint-g0.3"]],
};

/** The number of blocks that have the parts of a question.
 * @example blocksWithParts(plan, "C1") // 3 */
export const blocksWithParts = ({ blocks }: Pick<StudyPlan, "blocks">, claim: Claim): number =>
  blocks.filter(({ networks }) => PARTS[claim].every((some) => some.some((role) => networks[role] !== undefined)))
    .length;
