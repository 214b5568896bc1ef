/** @file The exported table of a study against the same join in SQL, and its order, bytes and gaps. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readParquet } from "../../../src/data/parquet.js";
import type { SharedStore } from "../../../src/node/store/shared.js";
import { exportStudy } from "../../../src/node/studies/export.js";
import { openStudySql } from "../../../src/node/studies/sql.js";
import { ROUTED_COLUMNS, type RoutedRow } from "../../../src/schema/study/tables.js";
import { compileStudy } from "../../../src/studies/study/compile.js";
import { subjectsOf } from "../../../src/studies/study/subjects.js";
import { drawnStore, madePlan } from "../../support/made-study.js";

const folder = mkdtempSync(join(tmpdir(), "dynn-export-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plan = madePlan("max-softmax", "most-confident");
const { tasks } = compileStudy(plan);
let store: SharedStore;
beforeAll(async () => {
  store = await drawnStore(plan, join(folder, "store"));
});

const read = (path: string): Promise<RoutedRow[]> => readParquet(readFileSync(path), ROUTED_COLUMNS, path);

test("the rows are those that SQL joins, in the order of their names", async () => {
  const out = join(folder, "rows.parquet");
  const { rows, left } = await exportStudy(tasks, store, { out });
  const got = await read(out);
  expect({ rows, left }).toEqual({ rows: got.length, left: 0 });
  const sql = await openStudySql(tasks, store);
  const expected = await sql.ask(`
    SELECT r.data, r.surrogate, r.exits, r.attack, r.network AS target, r.records, r.sample, r.label,
      c.answer AS cleanAnswer, r.answer, r.stop AS exit, r.confidence, c.cost AS cleanCostFraction, r.cost AS costFraction,
      r.finalAnswer, o.eligible, o.success, o.l0, o.l1, o.l2, o.linf, o.queries, o.gradients, o.forwardMacs, o.backwardMacs
    FROM routed r
    JOIN routed c ON c.network = r.network AND c.sample = r.sample AND c.attack = '' AND c.records = 'reported'
    JOIN outcomes o ON o.network = r.surrogate AND o.attack = r.attack AND o.exits = r.exits AND o.records = r.records
      AND o.sample = r.sample
    WHERE r.attack <> ''
    ORDER BY 1, 2, 3, 4, 5, 6, 7`);
  await sql.close();
  expect(expected.columns).toEqual(Object.keys(ROUTED_COLUMNS));
  expect(got.map((row) => Object.values(row))).toEqual(expected.rows);
  expect(new Set(got.map(({ exits }) => exits)).size).toBeGreaterThan(1);
});

test("the same study gives the same bytes, and the CSV has the same values", async () => {
  const [one, two] = [join(folder, "one.parquet"), join(folder, "two.parquet")];
  await exportStudy(tasks, store, { out: one });
  const csv = join(folder, "two.csv");
  const { rows } = await exportStudy(tasks, store, { out: two, csv });
  expect(readFileSync(two).equals(readFileSync(one))).toBe(true);
  const lines = readFileSync(csv, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(rows + 1);
  expect(lines[0].split(",")).toEqual(Object.keys(ROUTED_COLUMNS));
  const whole = (await read(two)).findIndex(({ exits }) => !exits.includes(","));
  expect(lines[whole + 1].split(",")).toEqual(Object.values((await read(two))[whole]).map(String));
});

test("kept exits hold commas, and are quoted in CSV", async () => {
  const csv = join(folder, "quoted.csv");
  const attacks = plan.attacks.map((attack) => (attack.name === "early" ? { ...attack, name: "early, two" } : attack));
  const named = { ...plan, attacks };
  const drawn = await drawnStore(named, join(folder, "commas"));
  await exportStudy(compileStudy(named).tasks, drawn, { out: join(folder, "quoted.parquet"), csv });
  expect(readFileSync(csv, "utf8")).toContain('\ndrawn,a-dense.onnx,"out0,out6","early, two",a-dense.onnx,checks,0,');
});

test("what is not done is left out, and counted", async () => {
  const crafted = subjectsOf(tasks).find(({ task }) => task.kind === "craft")?.key ?? "";
  const partial = { ...store, done: async (keys: readonly string[]) => new Set(keys.filter((key) => key !== crafted)) };
  const out = join(folder, "partial.parquet");
  const { rows, left } = await exportStudy(tasks, partial, { out });
  const all = (await exportStudy(tasks, store, { out: join(folder, "whole.parquet") })).rows;
  expect(left).toBeGreaterThan(0);
  expect(rows).toBeLessThan(all);
  expect(await read(out)).toHaveLength(rows);
});

test("an export that is stopped leaves no file", async () => {
  const stop = new AbortController();
  const csv = join(folder, "stopped.csv");
  const reason = new Error("stopped");
  const run = exportStudy(tasks, store, {
    ...{ out: join(folder, "stopped.parquet"), csv, signal: stop.signal },
    onProgress: ({ done, total }) => {
      if (done > total / 2) stop.abort(reason);
    },
  });
  await expect(run).rejects.toBe(reason);
  expect(() => readFileSync(csv)).toThrow("ENOENT");
});
