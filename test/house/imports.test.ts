/** @file Rooms and import directions (docs/architecture.md): data flows down the list, imports point only up it.
 *  A room may import the rooms listed here and whatever those may import. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/** Direct permissions of each room, in the order of design. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  schema: ["core"],
  graph: ["core"],
  ops: ["core", "graph"],
  onnx: ["core", "graph"],
  autodiff: ["core", "graph", "ops"],
  runtime: ["core", "graph", "ops", "onnx"],
  nn: ["core", "graph"],
  perturb: ["core", "graph", "ops", "schema"],
  dynamic: ["nn", "runtime", "schema"],
  data: ["core", "schema"],
  training: ["dynamic", "autodiff", "data", "perturb"],
  attacks: ["dynamic", "autodiff", "perturb"],
  measures: ["core", "schema"],
  studies: ["attacks", "training", "measures"],
  report: ["schema", "measures"],
  deploy: ["dynamic", "onnx", "schema"],
  node: ["deploy", "studies", "report"],
  web: ["deploy", "studies", "report"],
  cli: ["node"],
};

/** Rooms that may touch Node.js. */
const NODE_ALLOWED = [/^node\//, /^cli\//];
/** Packages that only run on Node. */
const NODE_PACKAGES = new Set([
  "onnxruntime-node",
  "sharp",
  "write-file-atomic",
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

describe("imports", () => {
  test("every source file lies in a room, save the index", () => {
    expect(files.filter((f) => !(roomOf(f) in ROOMS) && f !== "index.ts")).toEqual([]);
  });

  test("point only up the list of rooms", () => {
    const wrong = own.filter(({ from, to }) => from !== "index.ts" && !reach(roomOf(from)).has(roomOf(to)));
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

  test("reach a place that touches Node only from such a place, or from the index", () => {
    const nodeOnly = (file: string) => NODE_ALLOWED.some((p) => p.test(file));
    expect(own.filter(({ from, to }) => nodeOnly(to) && !nodeOnly(from) && from !== "index.ts")).toEqual([]);
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
