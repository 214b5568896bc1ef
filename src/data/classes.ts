/** @file Classes of data matched with the classes of a model, by name. Case, spaces, hyphens and
 *  underscores do not count. */

import { z } from "zod";
import { DynnError } from "../core/errors.js";
import { counted } from "../core/units.js";

/** How classes of data are matched with those of a model, where their names do not suffice. */
export interface ClassMatching {
  /** For a class of the data, the name or the number of the class that the model has for it. */
  readonly classes?: Readonly<Record<string, string | number>> | undefined;
  /** Whether class i of the data is class i of the model, whatever it is called. */
  readonly byOrder?: boolean | undefined;
}

/** The two sides of a match. */
export interface ClassSides {
  readonly model: string;
  /** Number of classes of the model. */
  readonly count: number;
  /** Names of the classes of the model, where known. */
  readonly modelNames: readonly string[] | undefined;
  readonly data: string;
  readonly dataNames: readonly string[];
  /** What is known of the data otherwise; a refusal says it. */
  readonly notes?: readonly string[] | undefined;
}

/** Which class of the model each class of the data is. */
export interface ClassMatch {
  /** One entry for each class of the data. */
  readonly labels: readonly number[];
  /** What was matched, for people; undefined where both sides have the same names in the same
   * order. */
  readonly note: string | undefined;
}

/** Names that a message shows of each side. */
const SHOWN = 20;

/** Match classes.
 * @throws DynnError 'data/label' when a class of the data is unknown to the model, fits several
 * classes, or shares one with
 *         another class; the message lists both sides */
export function matchClasses(sides: ClassSides, matching: ClassMatching = {}): ClassMatch {
  const { modelNames, dataNames } = sides;
  const named = matching.classes;
  if (modelNames && !named && sameList(modelNames, dataNames))
    return { labels: [...dataNames.keys()], note: undefined };
  if (matching.byOrder) return matchByOrder(sides);
  if (!modelNames && !named) return matchByNumber(sides);
  const labels = dataNames.map((name) => labelOf(name, sides, named));
  if (!named) refuseShared(labels, sides);
  const how = named ? "by the names given" : "by name";
  return { labels, note: `classes matched ${how}${shareOf(labels, sides)}: ${pairs(labels, sides)}` };
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i]);

/** A name without what does not count. */
const plain = (name: string): string =>
  name
    .normalize("NFC")
    .toLowerCase()
    .replace(/[\s_-]/g, "");

/** Labels of the classes of a name: those of exactly that name, else those that are alike. */
function labelsNamed(name: string, names: readonly string[]): number[] {
  const where = (fits: (other: string) => boolean) => names.flatMap((other, i) => (fits(other) ? [i] : []));
  const exact = where((other) => other === name);
  return exact.length > 0 ? exact : where((other) => plain(other) === plain(name));
}

/** @throws DynnError 'data/label' */
function labelOf(name: string, sides: ClassSides, named: ClassMatching["classes"]): number {
  const wanted = named && givenFor(name, named, sides);
  if (typeof wanted === "number") {
    if (wanted < sides.count) return wanted;
    throw mismatch(
      sides,
      `"${name}" is given the class ${wanted}, and ${sides.model} has ${counted(sides.count, "class", "classes")}`,
    );
  }
  const found = labelsNamed(wanted ?? name, namesOf(sides));
  const [label] = found;
  const shown = wanted === undefined || wanted === name ? `"${name}"` : `"${name}", given as "${wanted}",`;
  if (label === undefined) throw mismatch(sides, `${shown} is unknown to ${sides.model}`);
  if (found.length > 1) throw mismatch(sides, `${shown} fits classes ${found.join(" and ")} of ${sides.model}`);
  return label;
}

/** The names of the model's classes. Without names, their numbers as texts. */
const namesOf = ({ modelNames, count }: ClassSides): readonly string[] =>
  modelNames ?? Array.from({ length: count }, (_, label) => String(label));

/** What a class of the data is given as; exact spelling comes first. */
function givenFor(name: string, named: NonNullable<ClassMatching["classes"]>, sides: ClassSides) {
  const keys = Object.keys(named);
  const [at, ...more] = labelsNamed(name, keys).map((i) => keys[i]);
  if (at === undefined) return undefined;
  if (new Set([at, ...more].map((key) => named[key])).size === 1) return named[at];
  throw mismatch(sides, `"${name}" is given twice, as ${[at, ...more].map((key) => `"${key}"`).join(" and ")}`);
}

/** Two classes of the data under one label may be a slip. Only an explicit map may join classes.
 * @throws DynnError 'data/label' */
function refuseShared(labels: readonly number[], sides: ClassSides): void {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (second < 0) return;
  const first = labels.indexOf(labels[second]);
  const [one, other] = [first, second].map((i) => `"${sides.dataNames[i]}"`);
  throw mismatch(sides, `${one} and ${other} both fit class ${labels[second]} of ${sides.model}`);
}

/** @throws DynnError 'data/label' unless both sides have as many classes */
function matchByOrder(sides: ClassSides): ClassMatch {
  if (sides.dataNames.length !== sides.count) throw mismatch(sides, countsOf(sides));
  const labels = [...sides.dataNames.keys()];
  return { labels, note: `classes taken in their order: ${pairs(labels, sides)}` };
}

/** Classes of a model without names. Data that are named by numbers may have a part of the classes.
 * @throws DynnError 'data/label' */
function matchByNumber(sides: ClassSides): ClassMatch {
  const { model, count, dataNames } = sides;
  const because = `${model} has no class names`;
  const numbers = dataNames.map((name) => (/^\d+$/.test(name) ? Number(name) : Number.NaN));
  if (numbers.every((label) => label < count) && new Set(numbers).size === numbers.length)
    return { labels: numbers, note: `${because}, so each class is the label that it is called: ${shorten(dataNames)}` };
  if (dataNames.length === count) {
    const labels = [...dataNames.keys()];
    return { labels, note: `${because}, so the classes are taken in their order: ${pairs(labels, sides)}` };
  }
  throw mismatch(sides, `${countsOf(sides)}; ${because}`);
}

const countsOf = ({ model, count, dataNames }: ClassSides): string =>
  `it has ${counted(dataNames.length, "class", "classes")}, and ${model} tells ${counted(count, "class", "classes")} apart`;

const shareOf = (labels: readonly number[], { count }: ClassSides): string => {
  const present = new Set(labels).size;
  return present < count ? ` (${present} of the model's ${counted(count, "class is", "classes are")} in the data)` : "";
};

/** "0 airplane, 3 cat (Cat)": label, the model's name, and the data's where it differs. */
function pairs(labels: readonly number[], { modelNames, dataNames }: ClassSides): string {
  const all = dataNames.map((name, i) => {
    const own = modelNames?.[labels[i]] ?? name;
    return { label: labels[i], text: `${labels[i]} ${own}${own === name ? "" : ` (${name})`}` };
  });
  return shorten(all.sort((a, b) => a.label - b.label).map(({ text }) => text));
}

const shorten = (texts: readonly string[]): string =>
  texts.length <= SHOWN ? texts.join(", ") : `${texts.slice(0, SHOWN).join(", ")} and ${texts.length - SHOWN} more`;

function mismatch(sides: ClassSides, what: string): DynnError {
  const { count, data, dataNames, model, modelNames } = sides;
  const orders = dataNames.length === count;
  return new DynnError(
    "data/label",
    `${data}: ${what}. Classes of the data: ${shorten(dataNames)}. Classes of ${model}: ${modelNames ? shorten(modelNames) : `0 to ${count - 1}, without names`}. Rename the classes of the data, or say which class of the model each one is${orders ? "; where both lists stand in the same order, take the order" : ""}.${(sides.notes ?? []).map((note) => ` ${note}.`).join("")}`,
    { model: modelNames ?? count, data: dataNames, options: orders ? ["classes", "byOrder"] : ["classes"] },
  );
}

const mapSchema = z.record(z.string(), z.union([z.string(), z.number().int().min(0)]));

/** Read a map of class names, e.g. {"car": "automobile", "plane": 0}.
 * @param json parsed JSON
 * @param where what to call it in errors
 * @throws DynnError 'data/format' */
export function parseClassMap(json: unknown, where: string): NonNullable<ClassMatching["classes"]> {
  const read = mapSchema.safeParse(json);
  if (read.success) return read.data;
  throw new DynnError(
    "data/format",
    `${where}: expected an object from class names of the data to names or numbers of the model's classes (${z.prettifyError(read.error).split("\n")[0]}). Write e.g. {"car": "automobile", "plane": 0}.`,
    { where },
  );
}
