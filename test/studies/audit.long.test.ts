import { describe, expect, test, vi } from "vitest";
import type { AttackConfig } from "../../src/attacks/spec.js";
import { auditTables } from "../../src/cli/audit/tables.js";
import type { Dataset } from "../../src/data/dataset.js";
import { inMemory } from "../../src/data/dataset.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { writeModel } from "../../src/onnx/write.js";
import { renderAudit } from "../../src/report/audit/page.js";
import type { AuditRecord, GalleryItem } from "../../src/schema/audit-record.js";
import {
  type AuditOptions,
  audit,
  type RunPart,
  type RunStore,
  type StoredRun,
} from "../../src/studies/audit/index.js";
import { samplesOf, smallExits } from "../support/models.js";
import { timeless } from "../support/timeless.js";

const model = smallExits();
const samples = await samplesOf(model, 40);

const dataOf = (chosen: typeof samples): Dataset => {
  const pixels = new Float32Array(chosen.length * 192);
  chosen.forEach((s, i) => pixels.set(s.pixels, i * 192));
  return inMemory(
    { name: "made", shape: [3, 8, 8], classes: undefined, labels: Int32Array.from(chosen, (s) => s.label) },
    pixels,
  );
};

const ATTACKS: readonly AttackConfig[] = [
  { name: "pgd", objective: "misclassify:final", radius: 0.03, steps: 5, randomStart: true },
  { name: "slow", objective: "slowdown", radius: 0.05, steps: 5 },
  { name: "early", objective: "early:published", steps: 12, checkFrom: 4, samples: 10 },
];

const options = (rest: Partial<AuditOptions> = {}): AuditOptions => ({
  model,
  backend: ortNode({ threads: 1 }),
  data: dataOf(samples.slice(0, 24)),
  policy: { kind: "fixed", policy: { rule: "max-softmax", thresholds: [0.6, 0.6], fallback: "final" } },
  attacks: ATTACKS,
  curves: { radii: [0.02, 0.05], steps: 4 },
  seed: 5,
  batch: 8,
  version: "test",
  now: () => 0,
  ...rest,
});

/** A store in memory that counts what it is asked. */
function memoryStore() {
  const kept = new Map<string, StoredRun>();
  const parts = new Map<string, RunPart[]>();
  const store: RunStore = {
    loadParts: async (name, fingerprint) => {
      const all = parts.get(`${name} ${fingerprint}`) ?? [];
      return {
        outcomes: new Map(all.flatMap(({ outcomes }) => [...outcomes])),
        seconds: all.reduce((sum, { seconds }) => sum + seconds, 0),
      };
    },
    savePart: async (name, fingerprint, part) => {
      const key = `${name} ${fingerprint}`;
      parts.set(key, [...(parts.get(key) ?? []), part]);
    },
    load: async (name, fingerprint) => kept.get(`${name} ${fingerprint}`),
    save: async (name, fingerprint, run) => void kept.set(`${name} ${fingerprint}`, run),
  };
  return { store, kept, parts };
}

describe("an audit", () => {
  test("gives the same record and the same adversarial bytes with batch 16 and batch 64", async () => {
    const [sixteen, sixtyFour] = [await audit(options({ batch: 16 })), await audit(options({ batch: 64 }))];
    expect(sixteen.record.memory).toMatchObject({ batch: 16, chosen: false });
    expect({ ...sixteen.record, memory: sixtyFour.record.memory }).toEqual(sixtyFour.record);
    expect(sixteen.adversarial).toEqual(sixtyFour.adversarial);
    expect(sixteen.gallery).toEqual(sixtyFour.gallery);
  });

  test("goes on within an attack that was interrupted, and ends with the same bytes", async () => {
    const whole = await audit(options());
    const { store, parts } = memoryStore();
    const controller = new AbortController();
    // The clock goes on by three seconds whenever it is read, so every evaluation is followed by a part.
    let clock = 0;
    const now = () => {
      clock += 3000;
      return clock;
    };
    const savePart: RunStore["savePart"] = async (...part) => {
      await store.savePart(...part);
      if (parts.size === 1 && [...parts.values()][0].length === 2) controller.abort(new Error("killed"));
    };
    const cut = audit(options({ store: { ...store, savePart }, now, batch: 4, signal: controller.signal }));
    await expect(cut).rejects.toThrow("killed");
    const done = [...parts.values()].flat().reduce((sum, { outcomes }) => sum + outcomes.size, 0);
    expect(done).toBeGreaterThan(0);
    const resumed = await audit(options({ store }));
    expect(resumed.adversarial).toEqual(whole.adversarial);
    expect(timeless(resumed.record)).toEqual(timeless(whole.record));
  });

  test("changes nothing but seconds from run to run, and something with the seed", async () => {
    const [one, again, other] = [await audit(options()), await audit(options()), await audit(options({ seed: 6 }))];
    expect(again).toEqual(one);
    expect(other.adversarial.get("pgd")).not.toEqual(one.adversarial.get("pgd"));
  });

  test("keeps numbers that fit together", async () => {
    const { record } = await audit(options());
    for (const attack of record.attacks) {
      expect(attack.routed.exitCounts.reduce((a, b) => a + b)).toBe(attack.samples);
      expect(attack.efficacyStep).toBeCloseTo(1 - attack.routed.meanCostFraction, 12);
      expect(attack.robustAccuracy.low).toBeLessThanOrEqual(attack.robustAccuracy.value);
      expect(attack.robustAccuracy.high).toBeGreaterThanOrEqual(attack.robustAccuracy.value);
    }
    const [pgd, slow, early] = record.attacks as [
      AuditRecord["attacks"][number],
      AuditRecord["attacks"][number],
      AuditRecord["attacks"][number],
    ];
    // The samples' labels are the model's own: the final exit is right on all of them, so robust = not broken.
    expect(pgd.eligible).toBe(24);
    expect(pgd.robustAccuracy.value).toBeCloseTo(1 - pgd.successRate.value, 12);
    expect(slow.successRate.value * slow.eligible).toBeCloseTo(slow.routed.exitCounts[2] - (24 - slow.eligible), 9);
    expect(early.samples).toBe(10);
    expect(early.eligible).toBe(10);
  });

  test("counts as slowed down the eligible samples that now reach the final exit, where there are some", async () => {
    const policy = {
      kind: "fixed",
      policy: { rule: "max-softmax", thresholds: [0.9, 0.9], fallback: "final" },
    } as const;
    const attacks = [{ name: "slow", objective: "slowdown", radius: 0.2, steps: 9, stepSize: 0.2 / 6 }];
    const { record } = await audit(options({ policy, attacks, curves: undefined }));
    const [slow] = record.attacks as [AuditRecord["attacks"][number]];
    const succeeded = Math.round(slow.successRate.value * slow.eligible);
    expect(slow.eligible).toBe(24);
    expect(succeeded).toBe(slow.routed.exitCounts[2]);
    expect(succeeded).toBeGreaterThan(2);
    expect(succeeded).toBeLessThan(22);
  });

  test("judges only the samples that were right when clean, and counts robust ones among all", async () => {
    const mixed = samples.slice(0, 24).map((s, i) => ({ ...s, label: i % 3 === 0 ? (s.label + 1) % 4 : s.label }));
    const attacks = [{ name: "weak", objective: "misclassify:final", radius: 0.02, steps: 5 }];
    const { record } = await audit(options({ data: dataOf(mixed), attacks, curves: undefined }));
    const [weak] = record.attacks as [AuditRecord["attacks"][number]];
    const broken = weak.successRate.value * 16;
    expect([weak.samples, weak.eligible]).toEqual([24, 16]);
    expect(broken).toBeCloseTo(Math.round(broken), 9);
    expect(broken).toBeGreaterThan(0.5);
    expect(broken).toBeLessThan(15.5);
    expect(weak.robustAccuracy.value).toBeCloseTo((16 - broken) / 24, 12);
  });

  test("says that there was nothing to attack where no sample was right when clean", async () => {
    const wrong = samples.slice(0, 8).map((s) => ({ ...s, label: (s.label + 1) % 4 }));
    const attacks = [{ name: "pgd", objective: "misclassify:final", radius: 0.02, steps: 2 }];
    const { record } = await audit(options({ data: dataOf(wrong), attacks }));
    expect(record.attacks[0]).toMatchObject({ eligible: 0, nothingToAttack: "no sample was right when clean" });
    expect(record.curves[0]?.nothingToAttack).toBe("no sample was right when clean");
    const [table, page] = [auditTables(record), renderAudit(record)];
    expect(table).toContain("pgd: nothing to attack, no sample was right when clean.");
    expect(table).toContain("PGD, final exit: nothing to attack, no sample was right when clean.");
    expect(table).not.toContain("0.0 (0.0-100.0)");
    expect(page).toContain("had nothing to attack: no sample was right when clean");
    expect(page).not.toMatch(/\(0\.0–100\.0\)/);
  });

  test("names an attack whose goal held on every clean sample", async () => {
    const policy = { rule: "max-softmax", thresholds: [1, 1], fallback: "final" } as const;
    const attacks = [{ name: "slow", objective: "slowdown", radius: 0.05, steps: 2 }];
    const run = options({ policy: { kind: "fixed", policy }, attacks, curves: undefined });
    const { record } = await audit(run);
    expect(record.attacks[0]).toMatchObject({ eligible: 0, nothingToAttack: expect.stringContaining("already") });
    expect(record.attacks[0]?.robustAccuracy.value).toBe(1);
  });

  test("draws curves that only fall, from the clean accuracy on", async () => {
    const { curves, clean } = (await audit(options())).record;
    expect(curves.map((c) => c.name)).toEqual(["PGD, final exit", "PGD, routed answer"]);
    curves.forEach(({ points }, k) => {
      expect(points.map((p) => p.radius)).toEqual([0, 0.02, 0.05]);
      expect(points[0].robustAccuracy.value).toBe(k === 0 ? clean.accuracyPerExit.at(-1) : clean.routed.accuracy);
      points
        .slice(1)
        .forEach((p, i) => expect(p.robustAccuracy.value).toBeLessThanOrEqual(points[i].robustAccuracy.value));
    });
  });

  test("that was interrupted goes on from the attacks it had kept, to the same result", async () => {
    const whole = await audit(options());
    const { store, kept } = memoryStore();
    const controller = new AbortController();
    const phases: string[] = [];
    const watch = (phase: string) => {
      phases.push(phase);
      if (phase === "slow") controller.abort(new Error("stop"));
    };
    await expect(
      audit(options({ store, signal: controller.signal, onProgress: (p) => watch(p.phase) })),
    ).rejects.toThrow("stop");
    expect([...kept.keys()].map((key) => key.split(" ")[0])).toEqual(["pgd"]);
    phases.length = 0;
    const resumed = await audit(options({ store, onProgress: (p) => phases.push(p.phase) }));
    expect(phases).not.toContain("pgd");
    expect(phases).toContain("slow");
    expect(resumed).toEqual(whole);
  });

  test("hashes the model and each image once for its store, however many attacks there are", async () => {
    const digest = vi.spyOn(crypto.subtle, "digest");
    const data = dataOf(samples.slice(0, 24));
    const fresh = { ...model, graph: { ...model.graph } };
    await audit(options({ model: fresh, data, store: memoryStore().store }));
    const sizes = digest.mock.calls.map(([, bytes]) => bytes.byteLength);
    digest.mockRestore();
    const modelBytes = writeModel({ graph: fresh.graph }).byteLength;
    expect(sizes.filter((size) => size >= modelBytes)).toEqual([modelBytes]);
    expect(sizes.filter((size) => size === 192 * 4)).toHaveLength(24);
    // The rest are fingerprints: one for each of 3 attacks and 2 curves of 2 radii.
    expect(sizes).toHaveLength(1 + 24 + 3 + 4);
  });

  test("takes nothing from a store that was filled under another seed, policy or other images", async () => {
    const { store, kept } = memoryStore();
    await audit(options({ store, curves: undefined }));
    const before = kept.size;
    const policy = {
      kind: "fixed",
      policy: { rule: "max-softmax", thresholds: [0.7, 0.6], fallback: "final" },
    } as const;
    for (const rest of [{ seed: 6 }, { policy }, { data: dataOf(samples.slice(1, 25)) }]) {
      const size = kept.size;
      await audit(options({ store, curves: undefined, ...rest }));
      expect(kept.size).toBe(size + before);
    }
  });

  test("chooses thresholds on the validation split alone", async () => {
    const validation = dataOf(samples.slice(24));
    const policy = {
      kind: "calibrated",
      rule: "max-softmax",
      fallback: "final",
      target: { kind: "rad", loss: 0.05 },
      validation,
    } as const;
    const one = await audit(options({ policy, attacks: [], curves: undefined }));
    const two = await audit(options({ policy, attacks: [], curves: undefined, data: dataOf(samples.slice(0, 5)) }));
    expect(two.record.clean.routed.thresholds).toEqual(one.record.clean.routed.thresholds);
    expect(one.record.data.validation).toEqual({ name: "made", samples: 16 });
  });

  test("refuses a wrong attack before it does any work", async () => {
    const phases: string[] = [];
    const attacks = [...ATTACKS, { name: "x", objective: "misclassify:9", radius: 0.1 }];
    await expect(audit(options({ attacks, onProgress: (p) => phases.push(p.phase) }))).rejects.toThrow("misclassify:9");
    expect(phases).toEqual([]);
  });
});

describe("the gallery", () => {
  /** As the record's methods say: sure before, sure after, and right before counts one. */
  const surprise = ({ clean, attacked, label }: GalleryItem): number =>
    clean.confidences[clean.stop] + attacked.confidences[attacked.stop] + Number(clean.answer === label);
  const galleryOf = async (
    galleryPerAttack: number,
    attacks: readonly AttackConfig[],
  ): Promise<readonly GalleryItem[]> => {
    // Every other label is another class, so that the clean answer is wrong there.
    const mixed = samples.slice(0, 24).map((s, i) => ({ ...s, label: i % 2 ? (s.label + 1) % 4 : s.label }));
    const policy = {
      kind: "fixed",
      policy: { rule: "max-softmax", thresholds: [0.9, 0.9], fallback: "final" },
    } as const;
    return (await audit(options({ policy, data: dataOf(mixed), attacks, curves: undefined, galleryPerAttack })))
      .gallery;
  };
  const SLOW: AttackConfig = { name: "slow", objective: "slowdown", radius: 0.25, steps: 12, stepSize: 0.04 };

  test("holds the most telling images first: right and sure before, sure after", async () => {
    const all = await galleryOf(24, [SLOW]);
    const scores = all.map(surprise);
    expect(new Set(all.map((item) => item.clean.answer === item.label))).toEqual(new Set([true, false]));
    expect(new Set(scores).size).toBeGreaterThan(8);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(await galleryOf(3, [SLOW])).toEqual(all.slice(0, 3));
  });

  test("holds only images of eligible samples that succeed as 8-bit files, with sizes of those files", async () => {
    const all = await galleryOf(24, [SLOW]);
    for (const { attacked, original, adversarial, linf, l2, magnification, difference } of all) {
      expect(attacked.confidences.slice(0, 2).every((p) => p < 0.9)).toBe(true);
      const moved = Array.from(adversarial, (v, i) => v - original[i]);
      // Clean images are no 8-bit files: they are half a step away from one at most.
      expect(Math.abs(linf * 255 - Math.max(...moved.map(Math.abs)))).toBeLessThanOrEqual(0.5);
      expect(Math.abs(l2 * 255 - Math.hypot(...moved))).toBeLessThanOrEqual(0.5 * Math.sqrt(192));
      expect(magnification).toBe(Math.max(1, Math.floor(127 / (linf * 255))));
      expect(
        Array.from(difference).every(
          (v, i) => Math.sign(v - 128) === 0 || Math.abs(v - 128 - moved[i] * magnification) <= magnification,
        ),
      ).toBe(true);
    }
    const won = await galleryOf(24, [{ name: "final", objective: "misclassify:final", radius: 0.1, steps: 5 }]);
    // The final exit is wrong on every other clean image: those were no targets.
    expect(won.length).toBeGreaterThan(4);
    expect(won.every(({ sample }) => sample % 2 === 0)).toBe(true);
  });
});
