/** @file Rooms and import directions (docs/architecture.md): data flows down the list, imports
 *  point only up it. A room may import the rooms listed here and whatever those may import. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/** Direct permissions of each room, in the order of design. docs/architecture.md shows them. */
const ROOMS = JSON.parse(readFileSync(resolve(import.meta.dirname, "rooms.json"), "utf8")) as Readonly<
  Record<string, readonly string[]>
>;

/** The entries: what packages and programs import. `index.ts` gives what runs anywhere; the others
 * give it too. */
const PURE_ENTRY = "index.ts";
const PLATFORM_ENTRIES = ["node/index.ts", "web/index.ts"];

/** Rooms that may touch Node.js. */
const NODE_ALLOWED = [/^node\//, /^cli\//];
/** Packages that only run on Node. */
const NODE_PACKAGES = new Set([
  "onnxruntime-node",
  "sharp",
  "commander",
  "cli-progress",
  "cli-table3",
  "picocolors",
  "fastify",
  "prom-client",
]);

interface Import {
  readonly from: string;
  readonly to: string;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".ts"));

const STATEMENT = /\b(?:import|export)\b([^;"']*?)\bfrom\s+["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;

const importsOf = (file: string): Import[] =>
  [...readFileSync(join(SRC, file), "utf8").matchAll(STATEMENT)].map(([, what = "", to, bare]) => ({
    from: file,
    to: to ?? bare,
    typeOnly: isTypeOnly(what),
  }));

/** `type X`, `type { X }` or `{ type X, type Y }`. */
const isTypeOnly = (what: string): boolean =>
  /^\s*type\b/.test(what) ||
  (/\{/.test(what) &&
    what
      .replace(/[{}]/g, "")
      .split(",")
      .every((part) => part.trim() === "" || /^type\b/.test(part.trim())));

const imports = files.flatMap(importsOf);
const targetOf = ({ from, to }: Import): string =>
  relative(SRC, resolve(SRC, dirname(from), to)).replace(/\.js$/, ".ts");
const own = imports.filter(({ to }) => to.startsWith(".")).map((i) => ({ ...i, to: targetOf(i) }));
const roomOf = (file: string): string => file.split("/")[0];

/** Rooms that a room may import, its permissions' permissions included. */
function reach(room: string): Set<string> {
  const found = new Set([room]);
  for (const direct of ROOMS[room] ?? []) for (const r of reach(direct)) found.add(r);
  return found;
}

describe("the picture and the table of the rooms", () => {
  const document = readFileSync(resolve(SRC, "../docs/architecture.md"), "utf8");

  test("are what the imports are held to", () => {
    const script = resolve(SRC, "../scripts/make-rooms.mjs");
    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(document).toContain("pictures/rooms.svg");
  });

  test("name every room with the rooms that it may import", () => {
    const rows = [...document.matchAll(/^\| `(\w+)\/` +\|[^|]*\| ([^|]*?) *\|/gm)].map(([, room, may]) => [room, may]);
    const listed = Object.entries(ROOMS).map(([room, may]) => [room, may.length > 0 ? may.join(", ") : "nothing"]);
    expect(rows).toEqual(listed);
  });
});

describe("imports", () => {
  test("every source file lies in a room, save the pure entry", () => {
    expect(files.filter((f) => !(roomOf(f) in ROOMS) && f !== PURE_ENTRY)).toEqual([]);
  });

  test("of the pure entry reach no room of a platform", () => {
    const rooms = own.filter(({ from }) => from === PURE_ENTRY).map(({ to }) => roomOf(to));
    expect(rooms.filter((room) => ["node", "web", "cli"].includes(room))).toEqual([]);
    expect(rooms.length).toBeGreaterThan(50);
  });

  test("name an entry only in the entries of platforms", () => {
    const entries = [PURE_ENTRY, ...PLATFORM_ENTRIES];
    const importers = own.filter(({ to }) => entries.includes(to)).map(({ from, to }) => `${from} -> ${to}`);
    expect(importers.sort()).toEqual(PLATFORM_ENTRIES.map((entry) => `${entry} -> ${PURE_ENTRY}`));
  });

  test("point only up the list of rooms", () => {
    const wrong = own.filter(
      ({ from, to }) => ![from, to].includes(PURE_ENTRY) && !reach(roomOf(from)).has(roomOf(to)),
    );
    expect(wrong, `allowed: ${JSON.stringify(ROOMS)}`).toEqual([]);
  });

  test("touch Node only in the rooms node and cli", () => {
    const wrong = imports.filter(
      ({ from, to }) => (to.startsWith("node:") || NODE_PACKAGES.has(to)) && !NODE_ALLOWED.some((p) => p.test(from)),
    );
    expect(wrong).toEqual([]);
  });

  test("load ONNX Runtime in one file only, after its telemetry is off", () => {
    const loaders = imports.filter(({ to, typeOnly }) => to === "onnxruntime-node" && !typeOnly);
    expect(loaders.map(({ from }) => from)).toEqual(["node/ort-node/ort.ts"]);
    const inOrder = imports.filter(({ from }) => from === "node/ort-node/ort.ts").map(({ to }) => to);
    expect(inOrder).toEqual(["./telemetry.js", "onnxruntime-node"]);
    const before = imports.filter(({ from }) => from === "node/ort-node/telemetry.ts").map(({ to }) => to);
    expect(before).toEqual(["node:worker_threads", "../../core/errors.js"]);
  });

  test("reach a place that touches Node only from such a place", () => {
    const nodeOnly = (file: string) => NODE_ALLOWED.some((p) => p.test(file));
    expect(own.filter(({ from, to }) => nodeOnly(to) && !nodeOnly(from))).toEqual([]);
  });

  test("have no cycle, those for types and those at run time included", () => {
    const graph = new Map<string, string[]>();
    for (const { from, to } of own) graph.set(from, [...(graph.get(from) ?? []), to]);
    expect(cycleIn(graph)).toEqual([]);
  });
});

/** A cycle as a list of files, or nothing. */
function cycleIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
