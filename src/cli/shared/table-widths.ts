/** @file The widths of a table's columns, so that it fits the terminal. */
import { widthOf } from "./terminal.js";

/** A column of a table for a terminal. */
export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
}

/** A column in a part of a table. */
interface Placed {
  readonly index: number;
  readonly column: Column;
  /** The width that it has. */
  readonly width: number;
  /** The width at which nothing is broken. */
  readonly natural: number;
}

/** Some columns of a table. */
export type Slice = readonly Placed[];

/** Spaces between two columns. */
const GAP = 2;
/** A column of words is not made narrower than this. */
const NARROWEST = 14;

/** The parts of a table that fit below each other. Each begins with the columns that name the rows.
 * One part where there is room.
 * @param width the columns of the terminal */
export function fitted(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): Slice[] {
  const cells = columns.map((_, i) => rows.map((row) => row[i] ?? ""));
  const whole = columns.map((column, index): Placed => {
    const natural = Math.max(1, widthOf(column.head), widest(cells[index]));
    return { index, column, width: natural, natural };
  });
  if (sum(whole) <= width) return [whole];
  const heads = whole.map((part, i) => ({
    ...part,
    width: Math.max(1, longestWord(part.column.head), widest(cells[i])),
  }));
  if (sum(heads) <= width) return [widened(heads, width)];
  const words = heads.map((part, i) =>
    part.column.align === "left" && i > 0 ? narrowed(part, cells[i], sum(heads) - width) : part,
  );
  return sum(words) <= width
    ? [widened(words, width)]
    : split(words, keysOf(cells), width).map((part) => widened(part, width));
}

const sum = (parts: Slice): number => parts.reduce((total, part) => total + part.width, GAP * (parts.length - 1));

/** A spread of all cells into `Math.max` fails at about 100,000 rows. */
const widest = (cells: readonly string[]): number => cells.reduce((most, cell) => Math.max(most, widthOf(cell)), 0);

const longestWord = (text: string): number => Math.max(...text.split(" ").map(widthOf));

/** Room that is left makes columns wider, so that their heads are not broken. */
function widened(parts: Slice, width: number): Slice {
  let left = width - sum(parts);
  return parts.map((part) => {
    const more = part.natural - part.width;
    if (more > left) return part;
    left -= more;
    return { ...part, width: part.natural };
  });
}

/** A column of words that gives up to `excess` of its width. */
function narrowed(part: Placed, cells: readonly string[], excess: number): Placed {
  const longest = cells.reduce((most, cell) => Math.max(most, longestWord(cell)), 0);
  const least = Math.max(NARROWEST, longestWord(part.column.head), longest);
  return { ...part, width: Math.min(part.width, Math.max(least, part.width - excess)) };
}

/** The fewest parts, as equal in width as they can be.
 * @param keys the number of first columns that each part begins with */
function split(columns: Slice, keys: number, width: number): Slice[] {
  const fewest = filled(columns, keys, width);
  for (let narrower = width - 1; narrower >= width / 2; narrower--) {
    const parts = filled(columns, keys, narrower);
    if (parts.length > fewest.length || parts.some((part) => sum(part) > width)) break;
    fewest.splice(0, fewest.length, ...parts);
  }
  return fewest;
}

/** Parts that are filled one after the other. */
function filled(columns: Slice, keys: number, width: number): Slice[] {
  const first = columns.slice(0, keys);
  const parts: Placed[][] = [[...first]];
  for (const part of columns.slice(keys)) {
    const last = parts[parts.length - 1];
    if (last.length === keys || sum([...last, part]) <= width) last.push(part);
    else parts.push([...first, part]);
  }
  return parts;
}

/** How many of the first columns tell the rows apart: one, or two where one does not. */
function keysOf(cells: readonly (readonly string[])[]): number {
  const [first = [], second = []] = cells;
  return new Set(first).size === first.length ||
    new Set(first.map((one, i) => `${one}\n${second[i]}`)).size < first.length
    ? 1
    : 2;
}
