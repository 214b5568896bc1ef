/** @file Rows as a Parquet file, read back by another reader. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { expect, test } from "vitest";
import { writeRows } from "../../src/node/parquet.js";
import type { SampleRow } from "../../src/schema/sample-row.js";
import { temporaryFolder } from "../cli/support.js";

const folder = temporaryFolder();
const row = (sample: number): SampleRow => ({
  ...{ attack: "pgd é", sample, label: 3, cleanLabel: 3, exit: 1, answer: 5, confidence: 0.75 + sample / 1000 },
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

test("no rows are a file with columns alone", async () => {
  const file = join(folder, "empty.parquet");
  await writeRows(file, []);
  expect(await parquetReadObjects({ file: new Uint8Array(readFileSync(file)).buffer })).toEqual([]);
});
