/** @file Tables of documents that scripts make. */
const line = (cells) => `| ${cells.join(" | ")} |\n`;

/** A Markdown table. */
export const table = (heads, rows) => line(heads) + line(heads.map(() => "---")) + rows.map(line).join("");
