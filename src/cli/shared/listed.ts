/** @file Formats lists in the help of a command. */

/** Names with descriptions, in 80 columns. */
export function listed(entries: readonly (readonly [name: string, about: string])[]): string {
  const indent = Math.max(...entries.map(([name]) => name.length)) + 4;
  const lines = entries.flatMap(([name, about]) => {
    const folded = about.match(new RegExp(`.{1,${80 - indent}}(?: |$)`, "g")) ?? [];
    return folded.map((line, i) => `${(i === 0 ? `  ${name}` : "").padEnd(indent)}${line.trimEnd()}`);
  });
  return lines.join("\n");
}

/** A line of words below each other, in 80 columns, indented by two. */
export const folded = (words: string): string =>
  (words.match(/.{1,78}(?: |$)/g) ?? []).map((line) => `  ${line.trimEnd()}`).join("\n");
