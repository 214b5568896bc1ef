/** @file Compares two manifests, and says for each artefact that differs where it first does. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Compare what two builds made.
 * @param before manifest of the earlier build; cases that were not run now are passed over
 * @param now manifest of this build
 * @param kept folders where the artefacts of each lie
 * @returns the differences by name, and the facts that differ between the machines */
export function compareManifests(before, now, kept) {
  const ran = new Set(now.cases);
  const names = new Set([...Object.keys(before.artefacts), ...Object.keys(now.artefacts)]);
  const compared = [...names].filter((name) => ran.has(name.slice(0, name.indexOf("/")))).sort();
  const differences = compared
    .filter((name) => before.artefacts[name] !== now.artefacts[name])
    .map((name) => ({ name, how: howOf(name, before.artefacts, now.artefacts, kept) }));
  const facts = Object.keys(now.made).filter((key) => before.made[key] !== now.made[key]);
  return {
    compared: compared.length,
    differences,
    facts: facts.map((key) => `${key}: ${before.made[key]} before, ${now.made[key]} now`),
  };
}

function howOf(name, before, now, kept) {
  if (!Object.hasOwn(now, name)) return "is missing now";
  if (!Object.hasOwn(before, name)) return "was not there before";
  const [a, b] = [join(kept.before, name), join(kept.now, name)];
  if (!existsSync(a)) return "differs (the artefacts of the earlier run were not kept)";
  return /\.(txt|json|jsonl)$/.test(name)
    ? firstLine(readFileSync(a, "utf8"), readFileSync(b, "utf8"))
    : firstByte(readFileSync(a), readFileSync(b));
}

const cut = (line = "(end of file)") => (line.length > 160 ? `${line.slice(0, 157)}...` : line);

function firstLine(a, b) {
  const [before, now] = [a.split("\n"), b.split("\n")];
  const at = before.findIndex((line, i) => line !== now[i]);
  const i = at < 0 ? before.length : at;
  return `line ${i + 1}\n    before: ${cut(before[i]?.trim())}\n    now:    ${cut(now[i]?.trim())}`;
}

function firstByte(a, b) {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return `byte ${at < 0 ? a.length : at} (${a.length} bytes before, ${b.length} now)`;
}

/** The comparison as text. */
export function reportOf({ compared, differences, facts }) {
  const warning =
    facts.length > 0 ? `The two runs are not from one machine:\n${facts.map((fact) => `  ${fact}`).join("\n")}\n` : "";
  if (differences.length === 0) return `${warning}${compared} artefacts compared: all are equal`;
  const listed = differences.map(({ name, how }) => `  ${name}: ${how}`).join("\n");
  return `${warning}${differences.length} of ${compared} artefacts differ:\n${listed}`;
}
