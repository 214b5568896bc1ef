/** @file Fits data to a model: the channels and size of the images, and the numbering of the
 *  classes. */

import { DynnError } from "../core/errors.js";
import { type Shape, showShape } from "../core/shape.js";
import { withChannels } from "./channels.js";
import { type ClassMatching, matchClasses } from "./classes.js";
import { checkLabels, type Dataset, withNotes } from "./dataset.js";

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

/** Fit data to a model: photos take the model's size, and labels take its numbering, by the names
 * of the classes. Colour images become grey for a model of one channel, and grey images colour for
 * a model of three.
 * @param matching for names that differ from the model's
 * @returns the data; what was matched and converted stands in its notes. Data that fit already come
 *  back as they are.
 * @throws DynnError 'data/shape' when the images have another size than the model takes;
 * 'data/label' when classes are
 *         unknown or ambiguous, or a label is outside the model's classes
 * @example
 * const data = fitData(model, await openDataset("folder:photos"), { classes: { car: "automobile" }
 * }); */
export function fitData(model: FittedModel, data: Dataset, matching: ClassMatching = {}): Dataset {
  return fitLabels(model, fitImages(model, data), matching);
}

/** As {@link fitData}, for the images alone.
 * @throws DynnError 'data/shape' */
export function fitImages(model: FittedModel, data: Dataset): Dataset {
  const [, channels, height, width] = model.input.shape;
  const isOpen = typeof height !== "number" || typeof width !== "number";
  const fitted = withChannels(isOpen ? data : (data.resized?.(height, width) ?? data), channels);
  checkSize(model, fitted);
  return fitted;
}

/** As {@link fitData}, for data whose size is checked elsewhere.
 * @throws DynnError 'data/label' */
export function fitLabels(model: Omit<FittedModel, "input">, data: Dataset, matching?: ClassMatching): Dataset {
  const { name, classes: count, classNames: modelNames } = model;
  if (data.classes === undefined) {
    checkLabels(data, count);
    return data;
  }
  const sides = { model: name, count, modelNames, data: data.name, dataNames: data.classes, notes: data.notes };
  const { labels, note } = matchClasses(sides, matching);
  checkLabels(data, data.classes.length);
  const kept = labels.length === count && labels.every((label, i) => label === i);
  return withNotes(
    {
      ...data,
      resized: undefined,
      labels: kept ? data.labels : data.labels.map((label) => labels[label]),
      classes: modelNames ?? (kept ? data.classes : undefined),
    },
    note === undefined ? [] : [`${data.name}: ${note}`],
  );
}

/** @throws DynnError 'data/shape' */
export function checkSize({ name, input }: FittedModel, data: Pick<Dataset, "name" | "shape">): void {
  const wanted = input.shape.slice(1);
  if (wanted.every((d, i) => d === data.shape[i])) return;
  const [channels, height, width] = wanted;
  const isSized = height === data.shape[1] && width === data.shape[2];
  throw new DynnError(
    "data/shape",
    `${data.name}: images are ${showShape(data.shape)} but ${name} takes ${showShape(wanted)}. ${isSized ? `Give images of ${channels} channels.` : `Give images of that size (folder:DIR without ?size resizes).`}`,
    { got: data.shape, expected: wanted },
  );
}
