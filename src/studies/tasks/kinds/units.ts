/** @file The records that thresholds are chosen on. The answers for them suffice for exits. Other
 *  thresholds of gates change the answers, so a choice for gates runs the network itself. */
import { z } from "zod";
import type { Measured } from "../../../dynamic/choose/calibrate.js";
import type { MeasuredUnits } from "../../../dynamic/choose/calibrate-units.js";
import { measuredUnits } from "../../../dynamic/run/gated-runs.js";
import { count } from "../../../schema/numbers.js";
import { dataRefSchema, networkRefSchema, recordsOf } from "../../../schema/study/references.js";
import type { AnswerRow } from "../../../schema/study/tables.js";
import { batchOf } from "../../batch.js";
import type { RunningContext, TaskInputs } from "../kind.js";
import { ANSWERS_FILE, GATES_FILE, LOGITS_FILE, labelsIn, logitsOf } from "./answers.js";
import { attackedSets, type Shown, shownTo } from "./opened.js";

/** A network with gates, and the records to choose on. */
export const gatedSchema = z.strictObject({
  network: networkRefSchema,
  data: dataRefSchema,
  /** What each gate saves when it is closed, in the unit of the costs of exits. Measured times may
   * be below 0. */
  costs: z.array(z.number()).min(1),
  /** Of one image, for estimates. */
  macs: count,
});

/** The part of a choice that says what it is made on. */
export interface ChosenOn {
  /** Absent for a network without gates: the choice reads answers. */
  readonly gated?: z.infer<typeof gatedSchema> | undefined;
  readonly exits?: readonly number[] | undefined;
}

/** Number of gates of a choice, and what each saves. */
export const gatesOf = ({ gated }: ChosenOn) => ({ gates: gated?.costs.length ?? 0, gateCosts: gated?.costs });

/** Runs of the network that a choice makes, for estimates. */
const RUNS = 13;

/** Work of a choice in MACs. */
export const choiceMacs = ({ gated }: ChosenOn): number =>
  gated === undefined ? 0 : RUNS * recordsOf(gated.data).length * gated.macs;

/** Records under any thresholds of gates. */
export interface ChoiceUnits {
  /** Undefined when the choice has no records. */
  readonly validation: MeasuredUnits | undefined;
  readonly attacked: readonly MeasuredUnits[];
}

/** The records of a choice: its inputs "answers" and "attacked", or for gates its own records and
 * the images of its input "images". */
export async function unitsIn(given: ChosenOn, inputs: TaskInputs, context: RunningContext): Promise<ChoiceUnits> {
  if (given.gated) return gatedUnits(given.gated, inputs, context);
  const [validation] = (await measuredIn(inputs, "answers", given)).map(fixedUnits);
  return { validation, attacked: (await measuredIn(inputs, "attacked", given)).map(fixedUnits) };
}

/** Answers that no threshold of a gate changes. */
const fixedUnits = (measured: Measured): MeasuredUnits => ({ at: async () => measured });

async function gatedUnits(
  given: z.infer<typeof gatedSchema>,
  inputs: TaskInputs,
  { bench, backend, memory, signal, onProgress }: RunningContext,
): Promise<ChoiceUnits> {
  const opened = await bench.open(given);
  const sets = await attackedSets(opened, inputs);
  const { batch } = memory ?? batchOf({ model: opened.model, backend, images: opened.data.count });
  const unitsOf = ({ images, labels }: Shown) =>
    measuredUnits(bench.gatedRuns(opened.model), { images, labels }, { batch, signal, onProgress });
  return { validation: unitsOf(await shownTo(opened)), attacked: sets.map(unitsOf) };
}

/** The logits and labels of an input, one entry per task. */
async function measuredIn(inputs: TaskInputs, name: string, { exits }: Pick<ChosenOn, "exits">): Promise<Measured[]> {
  const rows = await inputs.tables<AnswerRow>(name, ANSWERS_FILE);
  const gates = await inputs.optional(name, GATES_FILE);
  return (await inputs.arrays(name, LOGITS_FILE)).map((logits, i) => ({
    logits: logitsOf(logits, { gates: gates[i], exits }),
    labels: labelsIn(rows[i]),
  }));
}
