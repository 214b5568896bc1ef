/** @file Records of earlier versions stay readable. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tTest } from "../../../src/measures/statistics/index.js";
import { readStudyRecord } from "../../../src/node/studies/folder.js";
import { renderStudy } from "../../../src/report/study/page.js";
import { upgradedRecord } from "../../../src/studies/study/earlier-record.js";

const RECORDED = join(import.meta.dirname, "../../../bench/records/2026-11-29-study-small/record.json");

describe("the record of an earlier version", () => {
  test("has its effects of transfer without intervals, and means over blocks", async () => {
    const written = JSON.parse(readFileSync(RECORDED, "utf8"));
    const { questions } = await readStudyRecord(RECORDED);
    expect(written.schemaVersion).toBe(1);
    const asymmetries: number[] = [];
    for (const [i, effect] of questions.transfer.effects.entries()) {
      const { asymmetry, attack } = written.questions.transfer.effects[i];
      expect(effect.asymmetry).toEqual({ value: asymmetry, low: null, high: null });
      if (attack === "pgd-final") asymmetries.push(asymmetry);
    }
    expect(asymmetries).toHaveLength(3);
    const over = questions.transfer.overall.find(({ attack }) => attack === "pgd-final");
    const { low, high } = tTest(asymmetries);
    expect(over).toMatchObject({ blocks: 3, asymmetry: { low, high } });
  });

  test("is drawn", async () => {
    const page = renderStudy(await readStudyRecord(RECORDED));
    expect(page).toContain("resnet20");
    expect(page).not.toMatch(/NaN|undefined/);
  });

  test.each([null, 3, {}, { schemaVersion: 1 }, { schemaVersion: 2, questions: {} }])("leaves %j as it is", (value) => {
    expect(upgradedRecord(value)).toBe(value);
  });
});
