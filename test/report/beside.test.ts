/** @file Two studies beside each other: cells are matched, signs are counted, and what has no partner is counted too. */
import { parseHTML } from "linkedom/worker";
import { describe, expect, it } from "vitest";
import { renderStudy } from "../../src/report/study/page.js";
import type { StudyRecord } from "../../src/schema/study/record.js";
import { studyRecord } from "../support/study-record.js";

const here = studyRecord(3, 2);

/** The same study on deeper networks: other names of cells, and other effects. */
function deeper(effect: (value: number, cell: string) => number, record: StudyRecord = here): StudyRecord {
  const renamed = (text: string) => text.replace("resnet20", "resnet56").replace(/^vgg16/, "vgg19");
  return {
    ...record,
    name: "paper",
    blocks: record.blocks.map((block) => ({
      ...block,
      cell: renamed(block.cell),
      architecture: renamed(block.architecture),
    })),
    cells: record.cells.map((cell) => ({
      ...cell,
      cell: renamed(cell.cell),
      effect: { ...cell.effect, value: effect(cell.effect.value, cell.cell) },
    })),
  };
}

const textOf = (element: Element | null): string =>
  (element?.textContent ?? "").replaceAll("\u00a0", " ").replaceAll(/\s+/g, " ").trim();

function tablesOf(record: StudyRecord, beside: StudyRecord): string[][][] {
  const { document } = parseHTML(renderStudy(record, { beside }));
  return [...document.querySelectorAll("#beside table")].map((table) =>
    [...table.querySelectorAll("tbody tr")].map((row) => [...row.children].map(textOf)),
  );
}

describe("a study beside another one", () => {
  it("has the verdicts of both, and counts the cells whose effects have the same sign", () => {
    const [cell] = here.cells.map((each) => each.cell);
    const [verdicts, pairs] = tablesOf(
      here,
      deeper((value, name) => (name === cell ? -value : 2 * value)),
    );
    expect(verdicts.map(([claim]) => claim)).toEqual(here.verdicts.map(({ claim }) => claim));
    for (const row of verdicts) expect(row.at(-1)).toBe("2 of 3");
    expect(pairs).toHaveLength(here.cells.length);
    for (const [name, partner, , , same] of pairs) {
      expect(same).toBe(name.endsWith(cell) ? "no" : "yes");
      expect(partner).toMatch(/^(resnet56|vgg19|mobilenet)/);
    }
  });

  it("leaves effects without a partner out, and counts them", () => {
    const beside = deeper((value) => value);
    const [gone] = beside.cells.map(({ cell }) => cell);
    const fewer = { ...beside, cells: beside.cells.filter(({ cell }) => cell !== gone) };
    const [verdicts, pairs] = tablesOf(here, fewer);
    for (const row of verdicts) expect(row.at(-1)).toBe("2 of 2");
    expect(pairs.length).toBe(fewer.cells.length);
    const { document } = parseHTML(renderStudy(here, { beside: fewer }));
    expect(textOf(document.querySelector("#beside"))).toContain(
      `${here.cells.length - fewer.cells.length} effects of cells have no partner in paper.`,
    );
  });

  it("does not guess between two cells of one family", () => {
    const beside = deeper((value) => value);
    const twice = (text: string) => text.replace("resnet56", "resnet110");
    const more = {
      ...beside,
      blocks: [
        ...beside.blocks,
        ...beside.blocks.map((b) => ({ ...b, cell: twice(b.cell), architecture: twice(b.architecture) })),
      ],
      cells: [...beside.cells, ...beside.cells.map((c) => ({ ...c, cell: twice(c.cell) }))],
    };
    const [, pairs] = tablesOf(here, more);
    expect(pairs.filter(([, partner]) => partner.startsWith("resnet"))).toEqual([]);
  });

  it("takes an effect of size 0 for no agreement", () => {
    const [verdicts] = tablesOf(
      here,
      deeper(() => 0),
    );
    for (const row of verdicts) expect(row.at(-1)).toBe("0 of 3");
  });

  it("has no such section alone", () => {
    expect(renderStudy(here).includes('id="beside"')).toBe(false);
  });
});
