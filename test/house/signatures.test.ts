/** @file Public functions have one shape: what they work on, then one options object. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/** Functions that take a plain value, or an optional one, after what they work on; and why. */
const APART: Readonly<Record<string, string>> = {
  ...reason("numbers of a formula, in the order of the formula", "wilson", "mcnemarExact", "uniform"),
  ...reason(
    "the second text names the source for messages",
    ...["parseQuantity", "parseLink", "parseClassMap", "parseAttackFile", "readNpy", "weightsOfCheckpoint"],
  ),
  ...reason("the graph, its operators and the graph in the making are what it works on", "checkGraph", "appendVjp"),
  ...reason(
    "a method calls it many times for each step: no object for each call",
    "evaluate",
    "evaluateAll",
    "survivesRounding",
    "routeOne",
    "keyOf",
  ),
  ...reason("one of the rows is chosen, as an index does", "seenIn", "aimed", "splitParts"),
  ...reason(
    "a network and the place it goes to are what it works on",
    "exportConditional",
    "exportSplit",
    "exportStaged",
  ),
  ...reason(
    "an open list of places or rows, which stands for all when left out",
    "placesOf",
    "placeExits",
    "readImages",
    "channelStatistics",
  ),
};

function reason(why: string, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}

/** The public values of an entry, with their files. */
function exportsOf(file: string): [name: string, file: string][] {
  const text = readFileSync(file, "utf8");
  const at = (path: string): string => join(dirname(file), path.replace(/\.js$/, ".ts"));
  const named = [...text.matchAll(/export \{([^}]*)\} from "([^"]+)"/g)].flatMap(([, names, path]) =>
    names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && !name.startsWith("type "))
      .map((name): [string, string] => [name, at(path)]),
  );
  const all = [...text.matchAll(/export \* from "([^"]+)"/g)].flatMap(([, path]) => exportsOf(at(path)));
  return [...named, ...all];
}

/** The parameters of a function as text: those of its declaration, or of the arrow it is. */
function parametersOf(name: string, file: string): string[] | undefined {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const found = new RegExp(
    `export (?:async )?(?:function\\*? |const )${name}\\b(?:<[^(]*>)?(?: = (?:async )?(?:<[^(]*>)?)?\\(`,
  ).exec(text);
  if (!found) return undefined;
  const parts = [""];
  let depth = 0;
  for (const sign of text.slice(found.index + found[0].length).replaceAll("=>", "")) {
    if (depth === 0 && sign === ")") break;
    depth += "([{<".includes(sign) ? 1 : ")]}>".includes(sign) ? -1 : 0;
    if (depth === 0 && sign === ",") parts.push("");
    else parts[parts.length - 1] += sign;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** The type of a parameter, without its name or its pattern. */
const typeOf = (parameter: string): string => parameter.replace(/^(?:\{[\s\S]*?\}|\w+\??):\s*/, "");

/** Numbers, texts, and types that name one of a few texts. */
const isPlain = (parameter: string): boolean =>
  /^(?:string|number|boolean|\w*(?:Form|Rule|Fallback|Norm|Goal|Kind))\b(?!\[)/.test(typeOf(parameter));
/** Optional by its sign. An options object has a default value instead. */
const isOpen = (parameter: string): boolean => /^\w+\?:/.test(parameter);

/** A value that may be left out. An options object may be, too. */
const hasDefault = (parameter: string): boolean => / = (?!\{\})/.test(parameter.replace(/^\{[\s\S]*?\}(?=:)/, ""));

/** Whether a parameter comes after the one that the function works on, and is not an options object. */
const isPositional = (parameter: string, place: number): boolean =>
  (place > 0 && (isPlain(parameter) || isOpen(parameter))) || hasDefault(parameter);

const functions = ["index.ts", "node/index.ts", "web/index.ts"].flatMap((entry) => exportsOf(join(SRC, entry)));

test("a public function takes one or two things to work on, then one options object", () => {
  const declared = functions.map(([name, file]) => ({ name, parameters: parametersOf(name, file) ?? [] }));
  expect(declared.filter(({ parameters }) => parameters.length > 0).length).toBeGreaterThan(100);
  const wrong = declared.filter(({ parameters }) => parameters.length > 3 || parameters.some(isPositional));
  const names = [...new Set(wrong.map(({ name }) => name))];
  expect(names.filter((name) => APART[name] === undefined)).toEqual([]);
  expect(Object.keys(APART).filter((name) => !names.includes(name))).toEqual([]);
});
