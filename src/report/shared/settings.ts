/** @file Settings as a table in words, from names such as "config.stepSize". */
import { counted } from "../../core/units.js";
import type { Html } from "./html.js";
import { type Column, table } from "./table.js";

/** A name and a value, as text. */
export type Setting = readonly [name: string, value: string];

/** "data.train.channelOrder" as "data: train: channel order". */
export const nameWords = (path: string): string =>
  path
    .replaceAll(".", ": ")
    .replaceAll(/([a-z0-9])([A-Z])/g, (_, before: string, letter: string) => `${before} ${letter.toLowerCase()}`);

const PLAIN: Readonly<Record<string, string>> = { true: "yes", false: "no", null: "none", "": "none" };

/** A value in words: yes, no, none, or numbers of at most 6 digits. */
export const valueWords = (value: string): string => PLAIN[value] ?? value.split(", ").map(rounded).join(", ");

const rounded = (text: string): string =>
  /^-?\d+\.\d{7,}$/.test(text) ? String(Number(Number(text).toPrecision(6))) : text;

const COLUMNS: readonly Column<Setting>[] = [
  { head: "setting", cell: ([name]) => name },
  { head: "value", align: "left", cell: ([, value]) => value },
];

/** A table of settings whose names and values are words already. */
export const settingsTable = (caption: string, settings: readonly Setting[]): Html => table(caption, COLUMNS, settings);

/** Longer tables are cut, and say so. */
const MOST = 200;

/** A JSON object as a table, one row for each value inside it.
 * @param text JSON. Text that is not JSON is one row */
export function jsonTable(caption: string, text: string): Html {
  const rows = leaves("", parsed(text)).map(([path, value]): Setting => [nameWords(path), valueWords(value)]);
  const left = rows.length - MOST;
  return settingsTable(
    left > 0 ? `${caption} ${counted(left, "more value is", "more values are")} left out here.` : caption,
    rows.slice(0, MOST),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}

const isPlain = (value: unknown): boolean => typeof value !== "object" || value === null;

/** Every value with its path. A list of plain values is one value. */
function leaves(at: string, value: unknown): Setting[] {
  if (isPlain(value)) return [[at, String(value)]];
  if (Array.isArray(value) && value.every(isPlain)) return [[at, value.join(", ")]];
  return Object.entries(value as object).flatMap(([key, inner]) => {
    const name = Array.isArray(value) ? String(Number(key) + 1) : key;
    return leaves(at === "" ? name : `${at}.${name}`, inner);
  });
}
