/** @file The batch and its memory in words, in every report and every table. */
import { describe, expect, test } from "vitest";
import { auditTables } from "../../src/cli/audit/tables.js";
import { renderAudit } from "../../src/report/audit/page.js";
import { batchLine, batchWords } from "../../src/report/shared/memory.js";
import { record } from "./fixture.js";

const memory = { batch: 16, chosen: true, bytesPerSample: 49.8e6, bytes: 814e6 };
const WORDS = "16, chosen: 49.8 MB an image, 814 MB a run";

describe("the batch in words", () => {
  test("says who chose it, and what it takes", () => {
    expect(batchWords(memory)).toBe(WORDS);
    expect(batchWords({ ...memory, chosen: false })).toMatch(/^16, given: /);
  });
  test("says when the memory is not known", () =>
    expect(batchWords({ batch: 64, chosen: true })).toBe("64, chosen; the memory of a run is not known"));
  test("is absent in records of earlier releases", () => {
    expect(batchLine(undefined)).toBe("");
    expect(renderAudit(record)).not.toContain("<dt>batch</dt>");
  });
  test("is in the report and the tables of an audit", () => {
    expect(renderAudit({ ...record, memory })).toContain(`<dt>batch</dt><dd>${WORDS}</dd>`);
    expect(auditTables({ ...record, memory })).toContain(`\nbatch ${WORDS}\n`);
  });
});
