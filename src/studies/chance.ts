/** @file What a record says beside its numbers: a warning where an accuracy is not above chance. */
import { counted } from "../core/units.js";
import type { Dataset } from "../data/dataset.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import type { Rate } from "../schema/numbers.js";

/** What is known of a classifier whose accuracy is judged. */
export interface JudgedModel extends Pick<DynamicModel, "classes" | "classNames"> {
  /** Null where it is not known whether the model normalises its input. */
  readonly normalization: DynamicModel["normalization"] | null;
}

type JudgedData = Pick<Dataset, "name" | "classes">;

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** Say why an accuracy may be at or below chance.
 * @param accuracy of the final exit on the clean data
 * @returns one line, or undefined where the 95 % interval lies above 1 / classes */
export function chanceWarning(model: JudgedModel, data: JudgedData, accuracy: Rate): string | undefined {
  const chance = 1 / model.classes;
  if (accuracy.low > chance) return undefined;
  const reasons =
    "Likely reasons: classes in another order than the model's, normalisation that is missing or applied twice, channels in the other order (RGB or BGR: the option channels), pixels in 0 to 255";
  return `${data.name}: accuracy ${share(accuracy.value)} is not above chance (${share(chance)} for ${counted(model.classes, "class", "classes")}). ${reasons}. Checked: ${[classWords(model, data), normalizationWords(model), "pixels lie in [0,1]", "the order of channels is not known"].join("; ")}.`;
}

/** The warnings about one accuracy: one, or undefined for none. */
export const chanceWarnings = (...judged: Parameters<typeof chanceWarning>): string[] | undefined => {
  const warning = chanceWarning(...judged);
  return warning === undefined ? undefined : [warning];
};

function classWords({ classNames }: JudgedModel, { classes }: JudgedData): string {
  if (classes === undefined) return "the data have no class names, so the order of the classes is not known";
  if (classNames === undefined) return "the model has no class names, so the order of the classes is not known";
  return "the classes are matched with the model's names";
}

const normalizationWords = ({ normalization }: JudgedModel): string =>
  normalization === null
    ? "the normalisation is not known"
    : normalization
      ? `the model normalises by mean ${list(normalization.mean)} and std ${list(normalization.std)}`
      : "no normalisation was found in the model";

const list = (values: readonly number[]): string => values.map((v) => String(Number(v.toPrecision(4)))).join(", ");
