import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { OPS } from "../../src/ops/index.js";
import { FLOAT32_BOUND, SLOPE_BOUND } from "../support/gradient-errors.js";
import { type CheckedNetwork, type CheckedNetworks, checkedNetworks } from "../support/networks.js";

interface Script {
  readonly networksDocument: (
    networks: CheckedNetworks,
    errorsOf: (name: string) => readonly string[] | undefined,
    ops: typeof OPS,
  ) => string;
}

const ROOT = resolve(import.meta.dirname, "../..");
const { networksDocument } = (await import(pathToFileURL(`${ROOT}/scripts/make-networks.mjs`).href)) as Script;
const networks = checkedNetworks();
const written = readFileSync(`${ROOT}/docs/networks.md`, "utf8");

/** The two last cells of every row of seven. */
const errors = new Map(
  written
    .split("\n")
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "")))
    .filter((cells) => cells.length === 7 && /^\d+$/.test(cells[1]))
    .map((cells) => [cells[0], cells.slice(-2)] as const),
);

describe("docs/networks.md (node scripts/make-networks.mjs makes it again)", () => {
  test("lists the networks of today, with their operators, nodes and parameters", () => {
    expect(written).toBe(networksDocument(networks, (name) => errors.get(name), OPS));
  });

  test("has an error for each, within the bounds of the tests", () => {
    const names = Object.values(networks).flatMap((group: readonly CheckedNetwork[]) => group.map(({ name }) => name));
    expect([...errors.keys()]).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
    for (const [float32, slope] of errors.values()) {
      expect(Number(float32)).toBeLessThanOrEqual(FLOAT32_BOUND);
      expect(slope === "-" ? 0 : Number(slope)).toBeLessThanOrEqual(SLOPE_BOUND);
    }
  });
});
