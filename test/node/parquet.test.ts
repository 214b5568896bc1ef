/** @file Rows as a Parquet file, read back by another reader. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { expect, test } from "vitest";
import { checkedParquet, checkParquet, TableWriter, writeParquet } from "../../src/data/parquet.js";
import { writeRows } from "../../src/node/parquet.js";
import type { SampleRow } from "../../src/schema/sample-row.js";
import { temporaryFolder } from "../cli/support.js";

const folder = temporaryFolder();
const row = (sample: number): SampleRow => ({
  ...{
    attack: "pgd é",
    seed: 0,
    sample,
    label: 3,
    cleanLabel: 3,
    exit: 1,
    answer: 5,
    confidence: 0.75 + sample / 1000,
  },
  ...{ eligible: sample % 2 === 0, success: sample % 3 === 0, linf: 8 / 255, l2: 0.1 * sample },
  ...{ queries: 21, gradients: 20, forwardMacs: 4.1e10, backwardMacs: 8.2e10, ms: 12.5 },
});

test("rows come back as they were written", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => row(i));
  const file = join(folder, "rows.parquet");
  await writeRows(file, rows);
  const bytes = new Uint8Array(readFileSync(file));
  expect(await parquetReadObjects({ file: bytes.buffer })).toEqual(rows);
});

test("rows of a network with gates have its bits and costs as well", async () => {
  const gated = [0, 1].map((i) => ({
    ...row(i),
    ...{ cleanGates: "10-", cleanCostFraction: 0.5, gates: "111", costFraction: 0.5 + i / 4 },
  }));
  const file = join(folder, "gated.parquet");
  await writeRows(file, gated);
  expect(await parquetReadObjects({ file: new Uint8Array(readFileSync(file)).buffer })).toEqual(gated);
});

test("no rows are a file with columns alone", async () => {
  const file = join(folder, "empty.parquet");
  await writeRows(file, []);
  expect(await parquetReadObjects({ file: new Uint8Array(readFileSync(file)).buffer })).toEqual([]);
});

const COLUMNS = {
  sample: ["INT32", "record number"],
  name: ["STRING", "name"],
  norm: ["nullable DOUBLE", "norm"],
} as const;
const made = (i: number) => ({ sample: i, name: i % 2 === 0 ? "even" : "odd", norm: i % 3 === 0 ? null : i / 7 });
const many = Array.from({ length: 2500 }, (_, i) => made(i));

test("rows that come in steps are all there, in order", async () => {
  const writer = new TableWriter<ReturnType<typeof made>>(COLUMNS);
  for (let i = 0; i < many.length; i += 700) writer.add(many.slice(i, i + 700));
  writer.add([]);
  const bytes = writer.finish();
  expect(await parquetReadObjects({ file: bytes.slice().buffer })).toEqual(many);
});

test("a table that is published is read back and counted", async () => {
  const bytes = await checkedParquet(many, COLUMNS);
  expect(bytes).toEqual(writeParquet(many, COLUMNS));
  await expect(checkParquet(bytes, COLUMNS, many.length + 1)).rejects.toThrow(
    "bug: a Parquet file of 2501 rows says 2500",
  );
  const torn = bytes.slice(0, -20);
  await expect(checkParquet(torn, COLUMNS, many.length)).rejects.toThrow();
  // The footer is whole, and the data are not.
  const damaged = bytes.slice();
  damaged.fill(0, 4, 2000);
  await expect(checkParquet(damaged, COLUMNS, many.length)).rejects.toThrow();
});
