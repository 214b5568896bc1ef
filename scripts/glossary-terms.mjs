/** @file Makes src/report/shared/glossary-terms.ts from docs/glossary.md: the words that reports explain. scripts/make-docs.mjs calls it. */

/** The terms that a reader of a report may not know. Words of every day, such as image and label, are left out. */
const IN_REPORTS = [
  ...["static network", "dynamic network", "exit", "gate", "head", "backbone", "block", "cut", "validation"],
  ...["confidence", "rule", "threshold", "fallback", "policy", "routed answer", "path", "cost", "temperature"],
  ...["method", "goal", "access", "eligible", "surrogate", "recovery", "efficacy", "early:margin", "early:published"],
  ...["clean", "interval", "robust accuracy", "success", "8-bit", "radius", "white-box", "transfer", "slowdown"],
  ...["resist", "standard deviation"],
  ...["EEC curve", "confusion", "MAC", "speed-up", "latency", "calibration error", "loss", "epoch", "learning rate"],
];

const rowsOf = (glossary) =>
  new Map(
    glossary
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .map(([, term, meaning]) => [term, meaning.replaceAll("`", "")]),
  );

/** The file as text.
 * @param glossary the text of docs/glossary.md */
export function glossaryTerms(glossary) {
  const rows = rowsOf(glossary);
  const missing = IN_REPORTS.filter((term) => !rows.has(term));
  if (missing.length > 0) throw new Error(`docs/glossary.md lacks ${missing.join(", ")}`);
  const sorted = [...IN_REPORTS].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const entries = sorted.map((term) => `  ${JSON.stringify(term)}: ${JSON.stringify(rows.get(term))},\n`).join("");
  return `/** @file The words that reports explain, with their sentences. Made by scripts/make-docs.mjs from
 *  docs/glossary.md. Change that, not this file. */

/** The meaning of each term, by the term. */
export const GLOSSARY: Readonly<Record<string, string>> = {
${entries}};
`;
}
