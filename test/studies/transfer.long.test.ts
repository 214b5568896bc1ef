/** @file Transfer between networks, and audits whose attacks search on a surrogate. */
import { describe, expect, test } from "vitest";
import { type Dataset, inMemory } from "../../src/data/dataset.js";
import { ensemble } from "../../src/dynamic/model/ensemble.js";
import type { DynamicModel } from "../../src/dynamic/model/model.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { audit } from "../../src/studies/audit/index.js";
import { transfer } from "../../src/studies/transfer/index.js";
import { linearModel, samplesOf, smallExits, victimOf } from "../support/models.js";

const COUNT = 24;
const a = smallExits(1);
/** Nearly the same answers as the first network, from other weights. */
const b: DynamicModel = { ...ensemble([a, a, smallExits(4)], { form: "losses" }), name: "other" };
const samples = await samplesOf(a, COUNT);
const bytes = Uint8Array.from(samples.flatMap(({ pixels }) => Array.from(pixels, (v) => Math.round(255 * v))));
const labels = Int32Array.from(samples, ({ label }) => label);
const data: Dataset = inMemory({ name: "made", shape: [3, 8, 8], classes: undefined, labels }, bytes);
const policy = { kind: "fixed", policy: victimOf(a, 2).policy } as const;
const common = { backend: referenceBackend, data, seed: 1, batch: 8, version: "0", now: () => 0 };
const attacks = [{ name: "pgd", method: "pgd", radius: 0.06, steps: 6, iterate: "last" }];
const run = (models: readonly DynamicModel[]) =>
  transfer({ ...common, networks: models.map((model) => ({ model, policy })), attacks });

describe("transfer", () => {
  test("judges only samples that every network has right, on every pair", async () => {
    const record = await run([a, b]);
    const right = record.networks.map(({ accuracy }) => Math.round(accuracy.value * COUNT));
    expect(record.eligible).toBeLessThanOrEqual(Math.min(...right));
    expect(record.eligible).toBeGreaterThan(0);
    const [{ success }] = record.attacks;
    expect(success.map((row) => row.length)).toEqual([2, 2]);
  });

  test("between a network and its copy is the white-box attack", async () => {
    const record = await run([a, { ...a, name: "copy" }]);
    const [{ success }] = record.attacks;
    expect(success[0][1]).toEqual(success[0][0]);
    expect(success[1]).toEqual(success[0]);
    expect(success[0][0].value).toBeGreaterThan(0);
  });

  test("is the same whatever the batch", async () => {
    const networks = [a, b].map((model) => ({ model, policy }));
    const [one, many] = await Promise.all([1, 24].map((batch) => transfer({ ...common, batch, networks, attacks })));
    expect([one.memory, many.memory]).toMatchObject([
      { batch: 1, chosen: false },
      { batch: 24, chosen: false },
    ]);
    expect({ ...one, memory: undefined }).toEqual({ ...many, memory: undefined });
  });

  test("chooses a batch where none is given, for the network that needs most", async () => {
    const backend = { ...common.backend, freeMemory: () => 2 ** 40 };
    const networks = [a, b].map((model) => ({ model, policy }));
    const { batch: _, ...open } = common;
    const { memory } = await transfer({ ...open, backend, networks, attacks });
    expect(memory).toMatchObject({ batch: 64, chosen: true });
  });

  test("refuses networks for other images", async () => {
    const small = linearModel([[1], [0], [0], [0]], [0, 0, 0, 0]);
    await expect(run([a, small])).rejects.toThrow(/\[(transfer\/mismatch|data\/shape)\]$/);
  });
});

describe("an audit with a surrogate", () => {
  const audited = (surrogate: DynamicModel | undefined) =>
    audit({
      ...{ ...common, model: a, policy, attacks },
      surrogate: surrogate && { model: surrogate, policy: policy.policy, names: [surrogate.name] },
    });

  test("that is the network itself gives the same images as without one", async () => {
    const [own, same] = [await audited(undefined), await audited(a)];
    expect(same.adversarial.get("pgd")).toEqual(own.adversarial.get("pgd"));
    expect(own.record.attacks[0].surrogates).toBeUndefined();
    expect(same.record.attacks[0].surrogates).toEqual([a.name]);
    const { surrogates: _, ...rest } = same.record.attacks[0];
    expect(rest).toEqual(own.record.attacks[0]);
  });

  test("judges the images of another network on the audited one", async () => {
    const [own, other] = [await audited(undefined), await audited(b)];
    expect(other.adversarial.get("pgd")).not.toEqual(own.adversarial.get("pgd"));
    expect(other.record.attacks[0].eligible).toBe(own.record.attacks[0].eligible);
  });

  test("searches on an ensemble", async () => {
    const { record } = await audited(ensemble([a, b], { form: "logits" }));
    expect(record.attacks[0].surrogates).toEqual(["small+other"]);
  });

  const other = (shape: readonly number[], classes: number): DynamicModel => ({
    ...{ ...a, name: "other" },
    ...{ input: { ...a.input, shape: ["n", ...shape] }, classes },
  });

  test.each([
    { where: "another image size", surrogate: other([3, 16, 16], 4), takes: "images [3,16,16] and 4 classes" },
    { where: "other classes", surrogate: other([3, 8, 8], 3), takes: "images [3,8,8] and 3 classes" },
  ])("refuses one with $where", async ({ surrogate, takes }) => {
    const own = `but ${a.name} takes images [3,8,8] and 4 classes. Give a surrogate for the same images and classes.`;
    const message = `surrogate other: takes ${takes}, ${own} [transfer/mismatch]`;
    await expect(audited(surrogate)).rejects.toThrow(expect.objectContaining({ message }));
  });

  test("refuses one with other names of its classes", async () => {
    const named = (names: readonly string[]): DynamicModel => ({ ...a, classNames: names });
    const options = { ...common, model: named(["a", "b", "c", "d"]), policy, attacks };
    const surrogate = { model: named(["a", "b", "d", "c"]), policy: policy.policy, names: ["s"] };
    await expect(audit({ ...options, surrogate })).rejects.toThrow(/with other names, but .* \[transfer\/mismatch\]$/);
  });
});
