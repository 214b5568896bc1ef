/** @file Commands that keep their finished tasks: an equal task is not done again, and records stay the same. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Dataset, inMemory } from "../../../src/data/dataset.js";
import type { DynamicModel } from "../../../src/dynamic/model/model.js";
import { taskKeeper } from "../../../src/node/studies/task-keeper.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import { audit } from "../../../src/studies/audit/index.js";
import { answersKind } from "../../../src/studies/tasks/kinds/answers.js";
import { craftKind } from "../../../src/studies/tasks/kinds/craft.js";
import { transfer } from "../../../src/studies/transfer/index.js";
import { samplesOf, smallExits, victimOf } from "../../support/models.js";

const COUNT = 12;
const [a, b] = [smallExits(1), { ...smallExits(4), name: "other" }];
const samples = await samplesOf(a, COUNT);
const bytes = Uint8Array.from(samples.flatMap(({ pixels }) => Array.from(pixels, (v) => Math.round(255 * v))));
const labels = Int32Array.from(samples, ({ label }) => label);
const made = (own: Int32Array): Dataset =>
  inMemory({ name: "made", shape: [3, 8, 8], classes: undefined, labels: own }, bytes);
const policy = { kind: "fixed", policy: victimOf(a, 2).policy } as const;
const common = { backend: referenceBackend, data: made(labels), seed: 1, batch: 8, version: "0", now: () => 0 };
const attacks = [{ name: "pgd", method: "pgd", radius: 0.06, steps: 4, iterate: "last" }];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dynn-kept-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

/** The number of tasks of each kind that a call does. */
async function counted<T>(call: () => Promise<T>): Promise<{ value: T; crafted: number; answered: number }> {
  const spies = [vi.spyOn(craftKind, "run"), vi.spyOn(answersKind, "run")];
  const value = await call();
  const [crafted, answered] = spies.map(({ mock }) => mock.calls.length);
  vi.restoreAllMocks();
  return { value, crafted, answered };
}

const audited = async (changes: Partial<Parameters<typeof audit>[0]> = {}) =>
  audit({ ...common, model: a, policy, attacks, kept: await taskKeeper(folder), ...changes });

describe("an audit that keeps its tasks", () => {
  test("has the record of one that does not, and is not done again", async () => {
    const plain = await audit({ ...common, model: a, policy, attacks });
    const first = await counted(audited);
    const second = await counted(audited);
    expect([first.value.record, second.value.record]).toEqual([plain.record, plain.record]);
    expect(second.value.adversarial).toEqual(plain.adversarial);
    expect(second.value.rows).toEqual(plain.rows);
    expect(first.crafted).toBe(1);
    expect([second.crafted, second.answered]).toEqual([0, 0]);
    expect(readdirSync(join(folder, "tasks")).length).toBeGreaterThan(2);
  });

  test.each<[string, Partial<Parameters<typeof audit>[0]>]>([
    ["other weights", { model: smallExits(2) }],
    ["other labels", { data: made(labels.map((label) => (label + 1) % 3)) }],
    ["another attack", { attacks: [{ ...attacks[0], steps: 5 }] }],
    ["another seed", { seed: 2 }],
    ["other thresholds", { policy: { kind: "fixed", policy: { ...policy.policy, thresholds: [0.123, 0.4] } } }],
  ])("is done again for %s", async (_, changes) => {
    await audited();
    expect((await counted(() => audited(changes))).crafted).toBe(1);
  });
});

test("a transfer is not done again", async () => {
  const run = async (models: readonly DynamicModel[]) =>
    transfer({
      ...common,
      networks: models.map((model) => ({ model, policy })),
      attacks,
      kept: await taskKeeper(folder),
    });
  const first = await counted(() => run([a, b]));
  const plain = await transfer({ ...common, networks: [a, b].map((model) => ({ model, policy })), attacks });
  expect(first.value).toEqual(plain);
  expect(first.crafted).toBe(2);
  const again = await counted(() => run([a, b]));
  expect([again.crafted, again.answered]).toEqual([0, 0]);
  expect(again.value).toEqual(plain);
});
