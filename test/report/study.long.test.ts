import { parseHTML } from "linkedom/worker";
import { describe, expect, it } from "vitest";
import { renderStudy } from "../../src/report/study/page.js";
import { type StudyRecord, studyRecordSchema } from "../../src/schema/study/record.js";
import { sparseStudyRecord, studyRecord } from "../support/study-record.js";

const record = studyRecord();
const page = renderStudy(record);
const sparse = renderStudy(sparseStudyRecord());
const documents = new Map<string, Document>();
/** The page as a document. Each page is parsed once, because that takes most of the time of this file. */
function documentOf(text: string): Document {
  const known = documents.get(text) ?? parseHTML(text).document;
  documents.set(text, known);
  return known;
}
const textOf = (element: Element | null | undefined): string =>
  (element?.textContent ?? "").replaceAll("\u00a0", " ").replaceAll(/\s+/g, " ").trim();
const sectionText = (text: string, id: string): string => textOf(documentOf(text).querySelector(`#${id}`));
/** The cells of each row of a table, without its head. */
const rowsOf = (table: Element | null | undefined): string[][] =>
  [...(table?.querySelectorAll("tbody tr") ?? [])].map((row) => [...row.children].map(textOf));
const tablesIn = (text: string, id: string): Element[] => [...documentOf(text).querySelectorAll(`#${id} table`)];
const little = studyRecord(1, 1);
/** The page of a smaller record with changes. */
const changed = (changes: Partial<StudyRecord>): string => renderStudy({ ...little, ...changes });

const SECTIONS = [
  ...["verdicts", "cells", "robustness", "transfer", "yield", "cost", "first-exit", "early"],
  ...["checks", "not-run", "networks", "attacks", "plan", "words"],
];

it("says how many blocks of the plan have networks", () => {
  const [first] = record.blocks;
  const networks = record.networks.filter(({ block }) => block === first.name);
  expect(textOf(documentOf(page).querySelector("header .soft"))).toMatch(/ in 4 blocks of 2 cells, seed/);
  const few = renderStudy({ ...record, networks });
  expect(textOf(documentOf(few).querySelector("header .soft"))).toMatch(
    / in 1 block of 1 cell; the plan has 4 blocks of 2 cells, seed/,
  );
});

describe("the report of a study", () => {
  it("is drawn from records that the schema takes", () => {
    expect(studyRecordSchema.parse(record)).toEqual(record);
    expect(studyRecordSchema.parse(sparseStudyRecord())).toEqual(sparseStudyRecord());
  });

  it.each([
    ["full", page],
    ["sparse", sparse],
  ])("has every section, linked from the top: %s", (_, text) => {
    const document = documentOf(text);
    expect([...document.querySelectorAll("section")].map(({ id }) => id)).toEqual(["summary", ...SECTIONS]);
    const links = [...document.querySelectorAll("nav a")].map((link) => link.getAttribute("href"));
    expect(links).toEqual(SECTIONS.map((id) => `#${id}`));
  });

  it("says in one short line per claim what came out", async () => {
    const items = [...documentOf(page).querySelectorAll(".short li")].map(textOf);
    expect(items).toHaveLength(record.verdicts.length);
    expect(Math.max(...items.map((item) => item.length))).toBeLessThanOrEqual(120);
    await expect(`${items.join("\n")}\n`).toMatchFileSnapshot("snapshots/study-claims.txt");
  });

  it("gives every claim its row of verdict, effect, test, p, blocks, cells, power and the unknown number of the paper", async () => {
    const rows = rowsOf(tablesIn(page, "verdicts")[0]);
    expect(rows.map((row) => row[0])).toEqual(["C0", "C1", "C2", "C3", "C4", "C5"]);
    expect(rows.map((row) => row.at(-1))).toEqual(new Array(6).fill("unknown"));
    await expect(`${rows.map((row) => row.join(" | ")).join("\n")}\n`).toMatchFileSnapshot(
      "snapshots/study-verdicts.txt",
    );
  });

  it("is the same, byte for byte, when made again, and holds no NaN, undefined or date", () => {
    expect(renderStudy(structuredClone(record)) === page).toBe(true);
    for (const text of [page, sparse])
      expect(textOf(documentOf(text).querySelector("main"))).not.toMatch(
        /NaN|undefined|null\b|Infinity|\[object|\b20\d\d-\d\d/,
      );
  });

  it("can reach nothing outside itself, and needs no script", () => {
    expect(page.slice(0, 300)).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`);
    expect(/<script|<link|<iframe|\son\w+=|url\(|@import/i.test(page)).toBe(false);
    const addresses = [...documentOf(page).querySelectorAll("[href],[src]")].map((e) => e.getAttribute("href") ?? "x");
    expect(addresses.filter((address) => !address.startsWith("#"))).toEqual([]);
  });

  it("is drawn in colours that light and dark share, and prints on light paper", () => {
    const [, ...drawings] = page.split("<svg");
    for (const drawing of drawings) expect(drawing.split("</svg>")[0]).not.toMatch(/(fill|stroke)="#/);
    for (const media of ["screen and (prefers-color-scheme: dark)", "@media print { :root { color-scheme: light; } }"])
      expect(page).toContain(media);
  });

  it("stays small enough for a mail: two cells under half a megabyte, the small tier under two", () => {
    expect(page.length).toBeLessThan(500_000);
    expect(renderStudy(studyRecord(6, 3)).length).toBeLessThan(2_000_000);
  });
});

describe("a reader without sight", () => {
  it.each([
    ["full", page],
    ["sparse", sparse],
  ])("has words for every plot, and a caption and headed rows for every table: %s", (_, text) => {
    const document = documentOf(text);
    for (const svg of document.querySelectorAll("svg:not([aria-hidden])")) {
      expect(svg.getAttribute("role")).toBe("img");
      expect(svg.getAttribute("aria-label")).toBeTruthy();
    }
    for (const table of document.querySelectorAll("table")) {
      expect(textOf(table.querySelector("caption"))).not.toBe("");
      for (const row of table.querySelectorAll("tbody tr"))
        expect(row.querySelectorAll("th[scope=row]")).toHaveLength(1);
    }
    expect(document.querySelectorAll("th:not([scope])")).toHaveLength(0);
    for (const details of document.querySelectorAll("details")) expect(textOf(details.children[0])).not.toBe("");
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is told verdicts and checks in words, with a sign beside the colour", () => {
    const marks = [...documentOf(page).querySelectorAll("#verdicts .verdict")].map(textOf);
    expect(new Set(marks)).toEqual(new Set(["✓ supported", "✗ refuted", "≈ practically nil", "? inconclusive"]));
    const checks = [...documentOf(page).querySelectorAll("#checks .verdict")].map(textOf);
    expect(new Set(checks)).toEqual(new Set(["✗ failed", "– not made", "✓ passed"]));
  });
});

describe("sections show what the record holds", () => {
  it("robustness at the primary radius, with McNemar's counts; other radii are folded", () => {
    const [primary, other] = tablesIn(page, "robustness").map(rowsOf);
    expect(primary).toHaveLength(record.blocks.length);
    expect(primary[0].slice(0, 4)).toEqual([
      ...["resnet20/cifar10/s1", "400"],
      ...["61.3 % (56.4–65.9)", "60.5 % (55.6–65.2)"],
    ]);
    expect(new Set(other.map((row) => row[1]))).toEqual(new Set(["2/255", "8/255"]));
  });

  it("transfer: a heat map per data set and attack, with the numbers and kinship; a dash where none was measured", () => {
    const labels = [
      ...documentOf(page).querySelectorAll("#transfer .below-57 > .wide svg, #transfer .below-65 > .wide svg"),
    ].map((s) => s.getAttribute("aria-label"));
    expect(labels).toEqual(
      ["pgd", "mim"].map((a) => `Transfer success of cifar10, ${a}, 4/255: surrogates in rows, targets in columns.`),
    );
    const map = documentOf(page).querySelector("#transfer .below-57 > .wide svg, #transfer .below-65 > .wide svg");
    const cells = [...(map?.querySelectorAll("text") ?? [])].map(textOf).filter((t) => /^(\d+|–)( |$)/.test(t));
    expect(cells).toHaveLength(12 * 12);
    expect(cells.slice(0, 4)).toEqual(["97 ●", "47 ○", "82 ◐", "46 ○"]);
    expect(cells[12]).toBe("– ○");
  });

  it("yield beside its baselines, with censoring", () => {
    const [short, long] = tablesIn(page, "yield");
    expect([...short.querySelectorAll("thead th")].map(textOf).slice(1)).toEqual([
      ...["static", "dynamic routed", "pruned at exit2", "small static"],
    ]);
    expect(rowsOf(long)[0].slice(-2)).toEqual(["40", "92.0 % (89.3–94.1)"]);
  });

  it("cost with the margin of the claim, and says when a control was not measured", () => {
    expect(sectionText(page, "cost")).toContain("Dashed: the margin of 5.0 points");
    const { cost, ...questions } = little.questions;
    const without = changed({ questions: { ...questions, cost: cost.filter(({ family }) => family !== "slowdown") } });
    expect(sectionText(without, "cost")).toContain("The slowdown (positive control) was not measured.");
    expect(sectionText(page, "cost")).not.toContain("was not measured");
  });

  it("slopes of the first exit by scenario and target, and the coefficients of the early attack", () => {
    expect(rowsOf(tablesIn(page, "first-exit").find((t) => /^Slope/.test(textOf(t))))[0]?.at(-1)).toBe("–");
    expect(rowsOf(tablesIn(page, "early")[0])[1]).toEqual(["dependency", "0.84", "0.15", "0.004"]);
    expect(sectionText(page, "early")).toContain("8 of 32 sets have no dot");
  });

  it("failed checks first", () => {
    const [failed, passed] = tablesIn(page, "checks").map(rowsOf);
    expect(failed.map((row) => row[1])).toEqual(["✗ failed", "– not made"]);
    expect(passed.map((row) => row[0])).toEqual([
      "large radiusC0, C1, C2, C3, C4, C5",
      "vanished gradientsC0, C1, C2, C3, C4, C5",
    ]);
    expect(sectionText(page, "checks")).toContain("1 failed, 1 not made, 2 passed.");
  });

  it("what was not run, the networks that blocks lack, and the plan as a table", () => {
    expect(sectionText(page, "not-run")).toContain("No network of this cell is trained.");
    expect(sectionText(page, "not-run")).toContain("resnet20-cifar10-small-s2 (small-static)");
    const told = changed({
      blocks: record.blocks,
      notRun: record.blocks.flatMap(({ missing }) =>
        missing.map(({ network }) => ({ what: "x", why: `${network} is not trained` })),
      ),
    });
    expect(sectionText(told, "not-run")).not.toContain("(small-static)");
    expect([...tablesIn(page, "plan")[0].querySelectorAll("tbody tr")].map(textOf)[0]).toContain("dynamic networks");
    expect(sectionText(page, "plan")).toContain(record.plan.sha256);
    expect(sectionText(page, "plan")).toContain("3 h 25 min");
  });
});

describe("a plan that was edited", () => {
  const edited = changed({ plan: { ...record.plan, edited: true } });

  it("is said aloud above all results", () => {
    expect(textOf(documentOf(edited).querySelector("header .loud"))).toContain(
      "The plan was edited after the study began.",
    );
    expect(sectionText(edited, "plan")).toContain("edited after the study began");
  });

  it("is not said of a plan that was not", () => {
    expect(documentOf(page).querySelector(".loud")).toBeNull();
    expect(sectionText(page, "plan")).toContain("unchanged since the study began");
  });
});

describe("less to show", () => {
  it("says in one sentence why each section is empty", () => {
    const body = (id: string): string =>
      sectionText(sparse, id)
        .replace(textOf(documentOf(sparse).querySelector(`#${id} h2`)), "")
        .trim();
    expect(Object.fromEntries(SECTIONS.slice(1, 12).map((id) => [id, body(id)]))).toEqual({
      cells: "The study has no block.",
      robustness: "The study has no network.",
      transfer: "The plan does not ask about C1.",
      yield: "The plan does not ask about C2.",
      cost: "The plan does not ask about C3.",
      "first-exit": "The plan does not ask about C4.",
      early: "The plan does not ask about C5.",
      checks: "The record holds no check, so nothing is known of the strength of the attacks.",
      "not-run": "Everything in the plan was run.No block lacks a network.",
      networks: "The study has no network.",
      attacks: expect.stringContaining("The record names no attack.The record names no data set."),
    });
  });

  it("names the role that no network has, and else says that no result is here yet", () => {
    const questions = sparseStudyRecord().questions;
    expect(sectionText(changed({ questions }), "first-exit")).toContain("no network of the role dense.");
    expect(sectionText(changed({ questions }), "robustness")).toContain("No task of this question has a result yet.");
  });

  it("gives no verdict where the plan asks about no claim", () => {
    const none = changed({ verdicts: [], cells: [] });
    for (const id of ["summary", "verdicts"]) expect(sectionText(none, id)).toContain("The plan asks about no claim");
  });

  it("of one block, one exit and single points still draws", () => {
    expect(/NaN|undefined/.test(renderStudy(little))).toBe(false);
    const yields = little.questions.yield.map((curve) => ({ ...curve, samples: 0, censored: 0, points: [] }));
    const firstExit = little.questions.firstExit.map((c) => ({ ...c, points: c.points.slice(0, 1) }));
    const early = {
      rows: little.questions.early.rows.map((row) => ({ ...row, samples: 0, successes: 0, medianNorm: null })),
      coefficients: [],
    };
    const text = renderStudy({ ...little, questions: { ...little.questions, yield: yields, firstExit, early } });
    expect(/NaN|undefined/.test(text)).toBe(false);
    expect(sectionText(text, "early")).toContain("No regression could be fitted.");
  });
});

describe("hostile names", () => {
  const evil = `</style></title></svg></pre><script>alert("x")</script><img src=http://evil.test onerror='x'>&quot;&`;
  /** Every text of the record that is not a word of the schema. */
  const spoil = (value: unknown, at: readonly string[] = []): unknown => {
    if (Array.isArray(value)) return value.map((item) => spoil(item, at));
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, spoil(item, [...at, key])]));
    return typeof value === "string" && !WORDS.has(at.at(-1) ?? "") ? `${value}${evil}` : value;
  };
  const WORDS = new Set(["claim", "verdict", "scale", "role", "rule", "fallback", "family", "scenario", "kinship"]);
  const hostile = spoil(record) as StudyRecord;
  const text = renderStudy(hostile);

  it("add no element and no address", () => {
    const tags = (markup: string) =>
      new Set([...documentOf(markup).querySelectorAll("*")].map(({ tagName }) => tagName));
    expect(tags(text)).toEqual(tags(page));
    expect(/<script|<img/.test(text)).toBe(false);
    const attributes = [...documentOf(text).querySelectorAll("*")].flatMap((element) => element.getAttributeNames());
    expect(attributes.filter((name) => name.startsWith("on") || name === "src")).toEqual([]);
  });

  it("are shown as they are", () => {
    expect(documentOf(text).querySelector("h1")?.textContent).toBe(hostile.name);
    expect(documentOf(text).querySelector("#plan details td")?.textContent).toBe(hostile.plan.text);
    expect(documentOf(text).querySelector("#cells figcaption b")?.textContent).toContain("<script>");
  });
});
