/** @file Tables in LaTeX for papers. They need no package. */

/** What LaTeX reads as a command, and signs that its fonts may lack. */
const SPECIAL: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "^": "\\textasciicircum{}",
  "~": "\\textasciitilde{}",
  "<": "$<$",
  ">": "$>$",
  "|": "$|$",
  '"': "''",
  "\u00a0": "~",
  "−": "$-$",
  "–": "--",
  "×": "$\\times$",
  "±": "$\\pm$",
  "∞": "$\\infty$",
};

/** A text in which LaTeX finds no command. Line breaks become spaces. */
export const escapeLatex = (text: string): string =>
  text.replace(/\s*[\n\r]\s*/g, " ").replace(/[\\{}$&#%_^~<>|"\u00a0−–×±∞]/g, (sign) => SPECIAL[sign]);

const line = (cells: readonly string[]): string => `${cells.map(escapeLatex).join(" & ")} \\\\`;

/** An environment `tabular`, line by line, with an empty line behind it.
 * @param columns one letter per column: l or r */
export const tabular = (columns: string, heads: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `\\begin{tabular}{${columns}}`,
  "\\hline",
  line(heads),
  "\\hline",
  ...rows.map(line),
  "\\hline",
  "\\end{tabular}",
  "",
];
