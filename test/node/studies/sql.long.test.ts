/** @file The tables of a study in SQL against the record, which is computed without SQL. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../../src/core/version.js";
import type { SharedStore } from "../../../src/node/store/shared.js";
import { openStudySql, questionTables, RESULT_TABLES, type StudySql } from "../../../src/node/studies/sql.js";
import { FALLBACKS, RULES } from "../../../src/schema/policy.js";
import type { StudyPlan } from "../../../src/schema/study/plan.js";
import type { StudyRecord } from "../../../src/schema/study/record.js";
import { STUDY_VIEWS, SUBJECT_COLUMNS } from "../../../src/schema/study/views.js";
import { compileStudy } from "../../../src/studies/study/compile.js";
import { studyRecord } from "../../../src/studies/study/record.js";
import { routedAnswers, StudyResults } from "../../../src/studies/study/results.js";
import { subjectsOf } from "../../../src/studies/study/subjects.js";
import { fakePlan, fakeStore, type Truth } from "../../support/fake-study.js";
import { drawnStore, madePlan } from "../../support/made-study.js";

type Row = Readonly<Record<string, unknown>>;

// The folder's name has characters that a pattern of files would read as more than themselves.
const folder = mkdtempSync(join(tmpdir(), "dynn sql [1]*'-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open: StudySql[] = [];
afterAll(async () => {
  for (const each of open) await each.close();
});

async function opened(plan: StudyPlan, name: string) {
  const store = await drawnStore(plan, join(folder, name));
  const sql = await openStudySql(compileStudy(plan).tasks, store);
  open.push(sql);
  return { store, sql };
}

const rowsOf = async (sql: StudySql, question: string): Promise<Row[]> => {
  const { columns, rows } = await sql.ask(question);
  return rows.map((row): Row => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
};

describe.each(FALLBACKS)("routed answers with the fallback %s", (fallback) => {
  test.each(RULES)("are those of the record for the rule %s", async (rule) => {
    const plan = madePlan(rule, fallback);
    const { store, sql } = await opened(plan, `${rule} ${fallback}`);
    const { tasks } = compileStudy(plan);
    const results = new StudyResults(store);
    const rows = await rowsOf(sql, "FROM routed ORDER BY key, sample");
    const byKey = new Map<unknown, Row[]>();
    for (const row of rows) byKey.set(row.key, [...(byKey.get(row.key) ?? []), row]);
    const judged = subjectsOf(tasks).filter(({ task }) => task.kind === "answers");
    expect(byKey.size).toBe(judged.length);
    for (const { key, network } of judged) {
      const answers = await results.answers(key);
      const policy = await results.policy(tasks.policy({ network }));
      const costs = tasks.exits({ network }).map((e) => e.costFraction);
      const { gates = [] } = plan.networks[network];
      const saved = (i: number, stop: number): number =>
        gates.reduce((sum, g, k) => sum + (g.exit <= stop && answers.gates?.bits[i][k] === 0 ? g.costFraction : 0), 0);
      const expected = routedAnswers(answers, policy).map(({ stop, answer, label, confidence }, i) => ({
        ...{ sample: answers.samples[i], stop, exit: answer, answer: label, confidence },
        cost: expect.closeTo(costs[stop] - saved(i, stop), 12),
        finalAnswer: answers.answers[i].at(-1),
      }));
      expect(byKey.get(key)).toMatchObject(expected);
    }
  });
});

type Coefficient = StudyRecord["questions"]["early"]["coefficients"][number];

const coefficientLike = (found: Coefficient | undefined) => ({
  name: found?.name,
  value: expect.closeTo(found?.value ?? NaN, 8),
  error: expect.closeTo(found?.error ?? NaN, 8),
  p: expect.closeTo(found?.p ?? NaN, 8),
});

const wave = (block: number): number => 0.2 * Math.sin(1 + 7 * block);

/** Norms that depend on the number of exits, and differ between blocks by more than that. */
const TRUTH: Truth = {
  transfer: () => 0.3,
  own: () => 0.8,
  dependency: (role, block) => (role === "joint" ? 0.6 : 0.2) + Math.round(20 * wave(block)) / 20,
  norm: (exits, role, block) =>
    Math.exp(
      -1 +
        0.1 * exits.length +
        3 * wave(3 * block) * (role === "joint" ? 1 : 0.2) +
        0.5 * wave(2.3 * block + 1.7 * exits.length),
    ),
};

describe("the tables of the questions", () => {
  let sql: StudySql;
  let store: SharedStore;
  let record: StudyRecord;
  const plan = madePlan("max-softmax", "final");

  beforeAll(async () => {
    ({ sql, store } = await opened(plan, "questions"));
    record = await studyRecord(plan, store, { edited: false, notRun: [], version: VERSION });
  });

  test("hold the transfer matrices of the record", async () => {
    const rows = await rowsOf(sql, "@transfer");
    const expected = record.questions.transfer.matrices.flatMap(
      ({ attack, surrogates, targets, success, kinship, eligible }) =>
        surrogates.flatMap((surrogate, i) =>
          targets.map((target, k) => ({
            ...{ data: "drawn", attack, surrogate, target, kinship: kinship[i][k], eligible },
            success: expect.closeTo(success[i][k]?.value ?? NaN, 12),
          })),
        ),
    );
    expect(rows).toHaveLength(expected.length);
    expect(rows.map(({ eligible }) => eligible)).not.toContain(0);
    for (const each of expected) expect(rows).toContainEqual(expect.objectContaining(each));
  });

  test("hold the cost shifts of the record", async () => {
    const rows = await rowsOf(sql, "@costShift");
    for (const { block, attack, family, samples, shift, fooled, kept } of record.questions.cost) {
      const { static: fixed, joint } = plan.blocks.find(({ name }) => name === block)?.networks ?? {};
      const surrogate = family === "slowdown" ? joint : fixed;
      const close = (value: number | null) => (value === null ? null : expect.closeTo(value, 12));
      const expected = { attack, family, network: joint, surrogate, samples };
      expect(rows).toContainEqual(
        expect.objectContaining({ ...expected, shift: close(shift.value), fooled: close(fooled), kept: close(kept) }),
      );
    }
    expect(record.questions.cost.length).toBeGreaterThan(5);
  });

  test("hold the first exits of the record", async () => {
    const rows = await rowsOf(sql, "@firstExit");
    const within = record.questions.firstExit.filter(({ scenario }) => scenario === "within");
    expect(within).toHaveLength(2);
    for (const { target, points } of within)
      for (const { exit, changed, exposure, vulnerability } of points)
        expect(rows).toContainEqual(
          expect.objectContaining({
            ...{ network: "a-dense.onnx", surrogate: "a-dense.onnx", attack: "pgd-final", target, exitName: exit },
            ...{ changed: expect.closeTo(changed.value, 12), exposure: expect.closeTo(exposure, 12) },
            vulnerability: vulnerability === null ? null : expect.closeTo(vulnerability, 12),
          }),
        );
  });

  test("hold the slopes of first exits of the record", async () => {
    const rows = await rowsOf(sql, "@firstExitSlope");
    const { firstExit } = record.questions;
    expect(rows).toHaveLength(firstExit.length);
    const close = (value: number | null) => (value === null ? null : expect.closeTo(value, 12));
    for (const { block, scenario, target, slope, points } of firstExit) {
      const row = rows.find((each) => each.block === block && each.scenario === scenario && each.target === target);
      expect(row).toMatchObject({ slope: close(slope), places: Math.min(4, points.length) });
      const shown = (row?.points as { entries: Row }[] | Row[]) ?? [];
      expect(shown).toHaveLength(points.length);
      for (const [i, { exit, exposure, vulnerability, costFraction }] of points.entries())
        expect(shown[i]).toMatchObject({
          exit,
          cost: costFraction,
          exposure: close(exposure),
          vulnerability: close(vulnerability),
        });
    }
    expect(new Set(firstExit.map(({ scenario }) => scenario)).size).toBe(2);
  });

  test("hold the yields of the record", async () => {
    const rows = await rowsOf(sql, "@yield");
    expect(rows).toHaveLength(record.questions.yield.length);
    expect(record.questions.yield.map(({ surrogate }) => surrogate)).toContain("pruned at exit1");
    const close = (value: number | null) => (value === null ? null : expect.closeTo(value, 6));
    for (const { block, surrogate, perTeraMac, perSecond, censored, samples } of record.questions.yield)
      expect(rows).toContainEqual(
        expect.objectContaining({
          ...{ block, surrogate, samples, censored },
          ...{ perTeraMac: close(perTeraMac), perSecond: close(perSecond) },
        }),
      );
    expect(rows.filter(({ perSecond }) => perSecond !== null)).toHaveLength(4);
  });

  test("hold the early attacks of the record, and the coefficients", async () => {
    const rows = await rowsOf(sql, "@early");
    const { early } = record.questions;
    expect(rows).toHaveLength(early.rows.length);
    expect(early.rows.length).toBeGreaterThan(12);
    expect(early.rows.filter(({ medianNorm }) => medianNorm === null).length).toBeGreaterThan(0);
    const close = (value: number | null) => (value === null ? null : expect.closeTo(value, 12));
    for (const {
      block,
      network,
      role,
      exits,
      lastExit,
      dependency,
      sparsity,
      gap,
      samples,
      successes,
      medianNorm,
    } of early.rows) {
      const row = rows.find((each) => each.network === network && JSON.stringify(each.exits) === JSON.stringify(exits));
      expect(row).toMatchObject({
        ...{ block, role, early: exits.length, lastExit: close(lastExit), samples, successes },
        ...{ dependency: close(dependency), sparsity: close(sparsity), gap: close(gap), medianNorm: close(medianNorm) },
      });
    }
    const coefficients = await rowsOf(sql, "@earlyCoefficients");
    expect([coefficients.length, early.coefficients.length]).toEqual([3, 4]);
    for (const name of ["dependency", "sparsity", "exits"]) {
      const found = early.coefficients.find((each) => each.name === name);
      expect(coefficients).toContainEqual(coefficientLike(found));
    }
  });

  // 7 and 8 degrees of freedom: the sums of odd and even ones differ.
  test.each([8, 9])("hold the errors and p of the coefficients over %i blocks", async (blocks) => {
    const plan = fakePlan(blocks);
    const store = { ...(await fakeStore(plan, TRUTH)), id: `fake ${blocks}` };
    const own = await openStudySql(compileStudy(plan).tasks, store);
    open.push(own);
    const { coefficients } = (await studyRecord(plan, store, { edited: false, notRun: [], version: VERSION })).questions
      .early;
    const rows = await rowsOf(own, "@earlyCoefficients");
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).toEqual(coefficientLike(coefficients.find(({ name }) => name === row.name)));
    expect(coefficients.filter(({ p }) => p > 0.001 && p < 0.999).length).toBeGreaterThan(0);
  });

  test("hold the effects of claims for every block", async () => {
    const rows = await rowsOf(sql, "@claims");
    expect(rows.map(({ claim, block }) => `${claim} ${block}`).sort()).toEqual(
      ["C0", "C1", "C2", "C3"].flatMap((claim) => [`${claim} a-s1`, `${claim} b-s1`]).concat("C4 a-s1"),
    );
    for (const claim of ["C2", "C4"])
      for (const { cell, effect } of record.cells.filter((each) => each.claim === claim))
        expect(rows).toContainEqual({ claim, block: `${cell}-s1`, effect: expect.closeTo(effect.value, 10) });
    expect(record.cells.filter(({ claim }) => claim === "C2" || claim === "C4")).toHaveLength(3);
    for (const { block, static: fixed, routed } of record.questions.robustness)
      expect(rows).toContainEqual({ claim: "C0", block, effect: expect.closeTo(fixed.value - routed.value, 12) });
    for (const { block, asymmetry } of record.questions.transfer.effects.filter((e) => e.attack === "pgd-final"))
      expect(rows).toContainEqual({ claim: "C1", block, effect: expect.closeTo(asymmetry.value, 12) });
    const cells = record.cells.filter(({ claim }) => claim === "C3");
    expect(cells).toHaveLength(2);
    for (const { cell, effect } of cells)
      expect(rows).toContainEqual(
        expect.objectContaining({ claim: "C3", block: `${cell}-s1`, effect: expect.closeTo(effect.value, 12) }),
      );
  });

  test("are described by their first comment", () => {
    expect(questionTables().map(({ name }) => name)).toEqual([
      "routed",
      "transfer",
      "costShift",
      "firstExit",
      "firstExitSlope",
      "yield",
      "early",
      "earlyCoefficients",
      "claims",
    ]);
    for (const { about } of questionTables()) expect(about.length).toBeGreaterThan(20);
  });

  test("every view has the columns that are documented", async () => {
    const views = {
      ...STUDY_VIEWS,
      ...Object.fromEntries(
        Object.entries(RESULT_TABLES).map(([name, { columns }]) => [name, { ...SUBJECT_COLUMNS, ...columns }]),
      ),
    };
    for (const [name, columns] of Object.entries(views)) {
      const { columns: got, rows } = await sql.ask(`FROM "${name}" LIMIT 1`);
      expect(got, name).toEqual(Object.keys(columns));
      expect(rows, name).toHaveLength(1);
    }
  });

  test("of a store that is no folder are the same", async () => {
    const { folder: _, ...bucket } = store;
    const copy = await openStudySql(compileStudy(plan).tasks, bucket);
    expect(await copy.ask("@claims")).toEqual(await sql.ask("@claims"));
    await copy.close();
  });

  test("a missing file is named", async () => {
    const lost: SharedStore = { ...store, folder: join(folder, "nowhere") };
    await expect(openStudySql(compileStudy(plan).tasks, lost)).rejects.toThrow(/nowhere.*is missing/);
  });

  test("sets of times and contestants have their attacks", async () => {
    const times = await rowsOf(
      sql,
      "SELECT DISTINCT l.set, s.attack FROM latency l JOIN timedSets s USING (key, set) WHERE l.network = 'a-joint.onnx' ORDER BY 1",
    );
    expect(times).toEqual([
      { set: 0, attack: "" },
      { set: 1, attack: "pgd-final" },
      { set: 2, attack: "sign-noise" },
      { set: 3, attack: "slowdown" },
    ]);
    const paced = await rowsOf(
      sql,
      "SELECT c.network, c.attack FROM pace p JOIN contestants c USING (key, contestant) ORDER BY 1, 2",
    );
    // Two blocks, each with its joint network and with the one that skips blocks, beside the static one.
    expect(paced).toHaveLength(8);
  });
});
