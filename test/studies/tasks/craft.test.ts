/** @file What the task `craft` attacks and keeps, and what `answers` runs of it. */
import { expect, test } from "vitest";
import { type AttackConfig, configureAttack } from "../../../src/attacks/spec.js";
import { inMemory } from "../../../src/data/dataset.js";
import { norms } from "../../../src/measures/norms.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import type { AnswerRow, OutcomeRow } from "../../../src/schema/study/tables.js";
import { answersTask, craftTask, policyTask } from "../../../src/studies/tasks/common.js";
import { InProcess } from "../../../src/studies/tasks/in-process.js";
import { AGAIN_FILE, ANSWERS_FILE, LOGITS_FILE, logitsOf } from "../../../src/studies/tasks/kinds/answers.js";
import { IMAGES_FILE, OUTCOMES_FILE } from "../../../src/studies/tasks/kinds/opened.js";
import { CommandPlan } from "../../../src/studies/tasks/plan.js";
import { TASK_KINDS } from "../../../src/studies/tasks/table.js";
import type { TaskKey } from "../../../src/studies/tasks/task.js";
import { samplesOf, smallExits, victimOf } from "../../support/models.js";

const COUNT = 20;
const model = smallExits();
const samples = await samplesOf(model, COUNT);
const pixels = new Float32Array(samples.flatMap((s) => [...s.pixels]));
// Every fourth label is wrong, so that the goal holds there on the clean image.
const labels = Int32Array.from(samples, ({ label }, i) => (i % 4 === 0 ? (label + 1) % 4 : label));
const data = inMemory({ name: "made", shape: [3, 8, 8], classes: undefined, labels }, pixels);

const attackOf = (radius: number): AttackConfig => ({ name: `pgd ${radius}`, method: "pgd", radius, steps: 4 });

async function ran<T>(build: (tasks: Tasks) => T) {
  const memory = { batch: 6, chosen: false };
  const run = new InProcess({
    ...{ backend: referenceBackend, kinds: TASK_KINDS, version: "test", now: () => 0 },
    memory,
  });
  const reported = run.data(data);
  const { policy } = victimOf(model, 2);
  const network = await run.planned(model, { kind: "fixed", policy }, reported);
  const plan = new CommandPlan();
  const key = policyTask(plan, network, "");
  const craft: Tasks["craft"] = (radius, how = {}, survived = []) =>
    plan.add(
      craftTask(network, { config: attackOf(radius), data: reported, seed: 3, ...how }, { policy: [key], survived }),
    );
  const answers: Tasks["answers"] = (how) => plan.add(answersTask(network, reported, how));
  const keys = build({ craft, answers });
  await run.all(plan);
  await run.release();
  const rows = (of: TaskKey) => run.rows<OutcomeRow>(of, OUTCOMES_FILE);
  return { run, keys, rows };
}

interface Tasks {
  readonly craft: (
    radius: number,
    how?: Partial<Parameters<typeof craftTask>[1]>,
    survived?: readonly TaskKey[],
  ) => TaskKey;
  readonly answers: (how?: Parameters<typeof answersTask>[2]) => TaskKey;
}

test("an attack on samples that stand leaves out those whose clean image meets the goal", async () => {
  const { keys, rows } = await ran(({ craft }) => [craft(0.02), craft(0.02, { standing: true })]);
  const [all, standing] = keys.map(rows);
  expect(all).toHaveLength(COUNT);
  expect(standing).toEqual(all.filter(({ eligible }) => eligible));
  expect(standing.map(({ sample }) => sample)).toEqual(samples.flatMap((_, i) => (i % 4 === 0 ? [] : [i])));
});

test("an attack after another one is on its survivors alone", async () => {
  const { keys, rows } = await ran(({ craft }) => {
    const first = craft(0.02, { standing: true });
    const second = craft(0.04, { standing: true }, [first]);
    return [first, second, craft(0.04)];
  });
  const [first, second, fresh] = keys.map(rows);
  const survivors = first.filter(({ success }) => !success).map(({ sample }) => sample);
  expect(survivors.length).toBeGreaterThan(0);
  expect(survivors.length).toBeLessThan(first.length);
  expect(second.map(({ sample }) => sample)).toEqual(survivors);
  // What happens to a sample does not depend on who else is attacked.
  expect(second).toEqual(fresh.filter(({ sample }) => survivors.includes(sample)));
});

test("an attack on the first records is the same there as one on all", async () => {
  const { keys, rows } = await ran(({ craft }) => [craft(0.03), craft(0.03, { first: 7 })]);
  const [all, seven] = keys.map(rows);
  expect(seven).toEqual(all.slice(0, 7));
});

test("images are kept exactly, as bytes, or not at all, and distances are those of what is kept", async () => {
  const { run, keys, rows } = await ran(({ craft }) => [
    craft(0.03),
    craft(0.03, { images: "exact" }),
    craft(0.03, { images: "none" }),
  ]);
  const [bytes, exact] = [run.array(keys[0], IMAGES_FILE), run.array(keys[1], IMAGES_FILE)];
  expect([bytes.dtype, exact.dtype]).toEqual(["uint8", "float32"]);
  expect([bytes.dims, exact.dims]).toEqual([
    [COUNT, 3, 8, 8],
    [COUNT, 3, 8, 8],
  ]);
  const found = Array.from(exact.data as Float32Array, (v) => Math.round(v * 255));
  expect(found).toEqual([...(bytes.data as Uint8Array)]);
  expect(() => run.array(keys[2], IMAGES_FILE)).toThrow(IMAGES_FILE);
  for (const [i, { l2, linf }] of rows(keys[1]).entries()) {
    const image = (exact.data as Float32Array).subarray(i * 192, (i + 1) * 192);
    expect({ l2, linf }).toEqual((({ l2, linf }) => ({ l2, linf }))(norms(samples[i].pixels, image)));
    expect(linf).toBeLessThanOrEqual(0.03 + 1e-6);
  }
  expect(rows(keys[2])).toEqual(rows(keys[1]));
});

test("answers for exact images are those of the search, and those for rounded ones differ", async () => {
  const { run, keys, rows } = await ran(({ craft, answers }) => {
    const images = craft(0.03, { images: "exact" });
    return [images, answers({ images }), answers({ images, rounded: true })];
  });
  const { goal } = configureAttack(attackOf(0.03), victimOf(model, 2));
  const logits = logitsOf(run.array(keys[1], LOGITS_FILE));
  const success = samples.map((s, i) => goal.succeeded({ ...s, label: labels[i] }, { logits: logits.rows(i) }));
  expect(success).toEqual(rows(keys[0]).map((row) => row.success));
  expect(new Set(success).size).toBe(2);
  const rounded = logitsOf(run.array(keys[2], LOGITS_FILE));
  expect(rounded.exits[2]).not.toEqual(logits.exits[2]);
  expect(Math.max(...rounded.exits[2].map((v, i) => Math.abs(v - logits.exits[2][i])))).toBeLessThan(0.5);
});

test("images that run a second time are the first ones", async () => {
  const { run, keys } = await ran(({ answers }) => [answers({ again: 4 })]);
  const [all, again] = [LOGITS_FILE, AGAIN_FILE].map((file) => logitsOf(run.array(keys[0], file)));
  expect(again.count).toBe(4);
  expect(again.rows(3)).toEqual(all.rows(3));
  expect(run.rows<AnswerRow>(keys[0], ANSWERS_FILE)).toHaveLength(3 * COUNT);
});
