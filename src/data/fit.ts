/** @file Checks that images fit a model: their size, the number of classes, and the order of the
 *  classes. */
import { DynnError } from "../core/errors.js";
import { type Shape, showShape } from "../core/shape.js";
import { checkLabels, type Dataset } from "./dataset.js";

/** The facts about a classifier that the checks need. */
export interface FittedModel {
  /** Name in messages. */
  readonly name: string;
  /** `shape` is [n, channels, height, width]. */
  readonly input: { readonly shape: Shape };
  /** Number of classes. */
  readonly classes: number;
  /** Names of the classes. Undefined when they are not known. */
  readonly classNames?: readonly string[] | undefined;
}

/** Checks that data fit a model.
 * @throws DynnError 'data/shape' when the size of the images is not the input size of the model
 * @throws DynnError 'data/label' when the number of classes differs, a class has another number
 *  than in the model, or a label is not a class */
export function checkFit(model: FittedModel, data: Dataset): void {
  checkSize(model, data);
  checkClasses(model, data);
  checkLabels(data, model.classes);
}

/** @throws DynnError 'data/shape' */
export function checkSize({ name, input }: FittedModel, data: Pick<Dataset, "name" | "shape">): void {
  const wanted = input.shape.slice(1);
  if (wanted.every((d, i) => d === data.shape[i])) return;
  throw new DynnError(
    "data/shape",
    `${data.name}: images are ${showShape(data.shape)} but ${name} takes ${showShape(wanted)}. Give images of that size (folder:DIR?size=${wanted[2]}x${wanted[1]} resizes).`,
    { got: data.shape, expected: wanted },
  );
}

/** @throws DynnError 'data/label' */
function checkClasses({ name, classes, classNames }: FittedModel, data: Dataset): void {
  if (data.classes === undefined) return;
  if (data.classes.length !== classes)
    throw new DynnError(
      "data/label",
      `${name}: has ${classes} classes, and ${data.name} has ${data.classes.length}. Give data of the classes that the model was trained on.`,
      { model: classes, data: data.classes.length },
    );
  const moved = data.classes.findIndex((label, i) => classNames?.[i] !== label && classNames?.includes(label));
  const label = data.classes[moved];
  if (label === undefined) return;
  throw new DynnError(
    "data/label",
    `${data.name}: its class ${moved} is "${label}", which is class ${classNames?.indexOf(label)} of ${name}. Number the classes as the model does.`,
    { model: classNames, data: data.classes },
  );
}
