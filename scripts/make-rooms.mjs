#!/usr/bin/env node
// Draws docs/pictures/rooms.svg from test/house/rooms.json: the rooms of src/ and what each may import directly.
// Usage: node scripts/make-rooms.mjs [--check]
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const out = resolve(root, "docs/pictures/rooms.svg");

/** The rooms and their direct permissions, in the order of design. */
export const readRooms = () => JSON.parse(readFileSync(resolve(root, "test/house/rooms.json"), "utf8"));

const [WIDTH, ROW, BOX, HEIGHT, MARGIN] = [860, 86, 104, 34, 20];

/** The row of each room: one below the lowest room that it imports. */
function rowsOf(rooms) {
  const row = {};
  for (const [name, imports] of Object.entries(rooms)) row[name] = Math.max(-1, ...imports.map((i) => row[i])) + 1;
  return row;
}

/** Arrows that say nothing new are left out: a room reaches through others what they may import. */
function drawnOf(rooms) {
  const reach = (name) => new Set(rooms[name].flatMap((i) => [i, ...reach(i)]));
  return Object.entries(rooms).flatMap(([from, imports]) =>
    imports.filter((to) => !imports.some((via) => via !== to && reach(via).has(to))).map((to) => [from, to]),
  );
}

/** The picture as text. */
export function roomsPicture(rooms = readRooms()) {
  const row = rowsOf(rooms);
  const count = Math.max(...Object.values(row)) + 1;
  const lines = Array.from({ length: count }, (_, r) => Object.keys(rooms).filter((name) => row[name] === r));
  const at = {};
  lines.forEach((names, r) => {
    names.forEach((name, i) => {
      at[name] = { x: Math.round(((i + 1) * WIDTH) / (names.length + 1)), y: MARGIN + r * ROW };
    });
  });
  const arrows = drawnOf(rooms).map(([from, to]) => {
    const [a, b] = [at[from], at[to]];
    return `<line x1="${a.x}" y1="${a.y}" x2="${b.x}" y2="${b.y + HEIGHT + 5}" marker-end="url(#head)"/>`;
  });
  const boxes = Object.entries(at).map(
    ([name, { x, y }]) =>
      `<rect x="${x - BOX / 2}" y="${y}" width="${BOX}" height="${HEIGHT}" rx="6"/><text x="${x}" y="${y + 22}">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${count * ROW}" role="img" aria-label="The rooms of src/ and what each may import">
<style>
  :root { color-scheme: light dark; }
  rect { fill: #f3f4f1; stroke: #565f6b; } text { fill: #1c2127; font: 15px system-ui, sans-serif; text-anchor: middle; }
  line { stroke: #8b939d; stroke-width: 1.2; } path { fill: #8b939d; }
  @media (prefers-color-scheme: dark) { rect { fill: #20252c; stroke: #a7b0bb; } text { fill: #e7e9ec; } }
</style>
<defs><marker id="head" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto"><path d="M0 0L7 3L0 6z"/></marker></defs>
${arrows.join("\n")}
${boxes.join("\n")}
</svg>
`;
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename)) {
  const picture = roomsPicture();
  if (!process.argv.includes("--check")) writeFileSync(out, picture);
  else if (readFileSync(out, "utf8") !== picture) {
    console.error("docs/pictures/rooms.svg is stale. Run node scripts/make-rooms.mjs.");
    process.exitCode = 1;
  }
}
