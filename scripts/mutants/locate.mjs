/** @file Finds the place of each mutant in src/ by a snippet of the code, so that the tables
 *  outlive moved and reformatted files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../bench/record.mjs";

/** What does not count in a comparison: white space, parentheses, casts, and the mark of a value
 *  that is not null. */
const IGNORED =
  /\s+as\s+(?!const\b)(?:readonly\s+)?[A-Z]?\w+(?:<[^<>]*>)?(?:\[\])*|(?<=[\w\])])!(?!=)|[\s()]+|,(?=\s*[)\]])/g;

/** A text without what does not count, and where each of its characters stood. */
function core(text) {
  const at = [];
  let from = 0;
  const keep = (to) => {
    for (let i = from; i < to; i++) at.push(i);
  };
  for (const { index, 0: all } of text.matchAll(IGNORED)) {
    keep(index);
    from = index + all.length;
  }
  keep(text.length);
  return { text: at.map((i) => text[i]).join(""), at };
}

/** Parentheses without their partner: closed and never opened, opened and never closed. */
function unpaired(text) {
  let [closed, open] = [0, 0];
  for (const character of text)
    if (character === "(") open++;
    else if (character === ")" && open > 0) open--;
    else if (character === ")") closed++;
  return { closed, open };
}

/** Widen a range over the parentheses at its ends, until as many are unpaired as in the snippet. */
function widened(text, range, snippet) {
  let { from, to } = range;
  const wanted = unpaired(snippet);
  const own = () => unpaired(text.slice(from, to));
  while (own().closed > wanted.closed) from = text.lastIndexOf("(", from - 1);
  while (own().open > wanted.open) to = text.indexOf(")", to) + 1;
  if (own().closed < wanted.closed && snippet.endsWith(")")) to = text.indexOf(")", to) + 1;
  if (own().open < wanted.open && snippet.endsWith("(")) to = text.indexOf("(", to) + 1;
  return { from, to };
}

/** Every place of a snippet in a file. */
function placesIn({ file, text, core: within }, snippet) {
  const wanted = core(snippet).text;
  const found = [];
  for (let at = within.text.indexOf(wanted); at >= 0; at = within.text.indexOf(wanted, at + 1)) {
    const range = { from: within.at[at], to: within.at[at + wanted.length - 1] + 1 };
    found.push({ file, ...widened(text, range, snippet) });
  }
  return found;
}

const sourcesOf = (folder) =>
  readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("generated"))
    .map((file) => ({ file: join("src", file), text: readFileSync(join(folder, "src", file), "utf8") }))
    .map((source) => ({ ...source, core: core(source.text) }));

/** Find every mutant.
 * @returns places by name (`file`, and where in it the snippet begins and ends), and what is
 *  wrong with the others */
export function locate(mutants, folder = root) {
  const sources = sourcesOf(folder);
  const places = new Map();
  const problems = [];
  for (const { name, find, replace } of mutants) {
    const found = sources.flatMap((source) => placesIn(source, find));
    const [only] = found;
    if (places.has(name)) problems.push(`${name}: two mutants have this name. Give each its own.`);
    else if (found.length === 0)
      problems.push(`${name}: no file of src/ holds "${find}". Write the snippet as it is now, or remove the mutant.`);
    else if (found.length > 1)
      problems.push(
        `${name}: "${find}" stands ${found.length} times: ${found.map((f) => f.file).join(", ")}. Give more of it.`,
      );
    else if (find === replace) problems.push(`${name}: changes nothing. Write another replacement.`);
    else places.set(name, only);
  }
  return { places, problems };
}
