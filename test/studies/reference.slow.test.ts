/** The audit on the reference network against what PyTorch, torchattacks and the study's own loop gave on the same images
 *  (reference/resnet20-sdn/expected.json). */
import { beforeAll, describe, expect, test } from "vitest";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import { toNumbers } from "../../src/core/tensor.js";
import { type Dataset, subset } from "../../src/data/dataset.js";
import { readNpy } from "../../src/data/npy.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import type { AttackRecord, AuditRecord } from "../../src/schema/audit-record.js";
import { audit } from "../../src/studies/audit/index.js";
import { cifarTestRecords } from "../support/cifar-records.js";
import { referenceFile } from "../support/reference-cases.js";

const pgd = { optimizer: "pgd", steps: 20, randomStart: false } as const;
const final = { objective: "misclassify:final" } as const;

/** Our attacks under the names of the reference. */
const ATTACKS: Readonly<Record<string, Omit<AttackConfig, "name">>> = {
  fgsm_linf_1_255: { ...final, optimizer: "fgsm", radius: "1/255" },
  fgsm_linf_8_255: { ...final, optimizer: "fgsm", radius: "8/255" },
  "pgd20_linf_1_255_step_0.25_255_no_random_start": { ...final, ...pgd, radius: "1/255", stepSize: "0.25/255" },
  "pgd20_linf_2_255_step_0.5_255_no_random_start": { ...final, ...pgd, radius: "2/255", stepSize: "0.5/255" },
  "pgd20_l2_0.25_step_0.05_no_random_start": { ...final, ...pgd, norm: "l2", radius: 0.25, stepSize: 0.05 },
  // The reference goes on to a closer image. Whether one succeeds is known at the first one.
  cw_l2_c1_steps50_lr0_01: { ...final, optimizer: "adam-tanh", steps: 50, c: 1, stepSize: 0.01, stopAtSuccess: true },
};

const DEEPSLOTH: AttackConfig = {
  name: "deepsloth",
  objective: "slowdown",
  optimizer: "pgd",
  norm: "linf",
  radius: 0.03125,
  steps: 30,
  stepSize: 0.002,
  randomStart: 0.002,
};

interface Expected {
  readonly attacks_final_exit_first256: Readonly<Record<string, { readonly robust_accuracy: number }>>;
  readonly deepsloth_linf_first256: { readonly clean_counts: number[]; readonly attacked_counts: number[] };
  readonly early_attack_paper_mode_first48: Readonly<
    Record<
      string,
      {
        readonly success: number;
        readonly l2_pixels_mean_success: number | null;
        readonly all_exits_disagree_when_clean: number;
      }
    >
  >;
}

describe("the audit of the reference network", () => {
  let data: Dataset;
  let model: DynamicModel;
  let expected: Expected;

  beforeAll(async () => {
    data = await cifarTestRecords();
    model = dynamicModel(readModel(referenceFile("resnet20-sdn/model.onnx")));
    expected = JSON.parse(referenceFile("resnet20-sdn/expected.json").toString());
  });

  const run = async (samples: number, attacks: readonly AttackConfig[]): Promise<AuditRecord> => {
    const { record } = await audit({
      model,
      backend: ortNode(),
      data: subset(
        data,
        Array.from({ length: samples }, (_, i) => i),
      ),
      policy: { kind: "fixed", policy: { rule: "max-softmax", thresholds: [0.8, 0.8, 0.8, 0.8], fallback: "final" } },
      attacks,
      seed: 0,
      batch: 64,
      version: "test",
      now: () => performance.now(),
    });
    return record;
  };

  test("agrees with torchattacks within 1.5 points and with DeepSloth's exits within 5 % of the samples", async () => {
    const record = await run(256, [
      ...Object.entries(ATTACKS).map(([name, config]) => ({ name, ...config })),
      DEEPSLOTH,
    ]);
    expect(record.clean.routed.exitCounts).toEqual(expected.deepsloth_linf_first256.clean_counts);
    for (const attack of record.attacks.slice(0, -1)) {
      const want = expected.attacks_final_exit_first256[attack.name.replace("lr0_01", "lr0.01")]?.robust_accuracy;
      expect(
        Math.abs(attack.robustAccuracy.value - want),
        `${attack.name}: ${attack.robustAccuracy.value}, reference ${want}`,
      ).toBeLessThanOrEqual(0.015);
    }
    const slow = record.attacks.at(-1) as AttackRecord;
    slow.routed.exitCounts.forEach((count, k) =>
      expect(Math.abs(count - expected.deepsloth_linf_first256.attacked_counts[k]), `exit ${k}`).toBeLessThanOrEqual(
        0.05 * 256,
      ),
    );
  }, 240_000);

  test("ascends the published early loss as its formula gives it on PyTorch's logits", async () => {
    // The attacked image of a record is the next record, so that exits differ and the distance is known.
    const [count, exits, classes] = [63, 5, 10];
    const logits = toNumbers(readNpy(referenceFile("resnet20-sdn/logits_first64.npy"), "logits_first64.npy"));
    const rowAt = (exit: number, i: number) => logits.slice((exit * 64 + i) * classes, (exit * 64 + i + 1) * classes);
    const softmaxAt = (exit: number, i: number): number[] => {
      const e = Array.from(rowAt(exit, i), Math.exp);
      return e.map((v) => v / e.reduce((a, b) => a + b));
    };
    const pixels = new Float32Array(64 * 3072);
    await data.read([...Array(64).keys()], pixels);
    const imageAt = (i: number) => pixels.subarray(i * 3072, (i + 1) * 3072);
    const std = [0.247, 0.2435, 0.2616];
    const wanted = (i: number): number => {
      const own = rowAt(exits - 1, i);
      const label = own.indexOf(Math.max(...own));
      const p = softmaxAt(exits - 1, i + 1);
      const keep = p.reduce((sum, other) => sum + Math.max(0, p[label] - other), 0);
      const change = [0, 1, 2, 3].reduce((sum, k) => sum + softmaxAt(k, i + 1)[label], 0);
      const moved = imageAt(i + 1).reduce(
        (sum, v, at) => sum + ((v - imageAt(i)[at]) / std[Math.floor(at / 1024)]) ** 2,
        0,
      );
      return -(50 * (-0.1 * keep + change) + moved);
    };
    const policy = { rule: "max-softmax", thresholds: [0.8, 0.8, 0.8, 0.8], fallback: "final" } as const;
    const { goal } = configureAttack({ name: "t", goal: "early:published", alpha: 0.1 }, { model, policy });
    const requests = Array.from({ length: count }, (_, i) => ({
      question: { image: imageAt(i + 1), loss: goal.losses[0], gradient: false },
      sample: {
        id: i,
        pixels: imageAt(i),
        label: 0,
        clean: [0, 1, 2, 3, 4].map((k) => Float32Array.from(rowAt(k, i))),
      },
    }));
    const evaluator = new Evaluator(model, { backend: ortNode() });
    const found = await evaluator.evaluate(
      requests.map((request) => ({ ...request, label: goal.label(request.sample) })),
    );
    await evaluator.release();
    // Distances are thousands, and float32 holds them to 0.001; the part beside them is up to 200.
    found.forEach(({ loss }, i) => expect(Math.abs(loss - wanted(i)), `record ${i}`).toBeLessThan(0.05));
  }, 60_000);

  test("agrees with the study's early attack as published: success within 6 points, mean L2 within 15 %", async () => {
    const record = await run(48, [{ name: "0.1", objective: "early:published", alpha: 0.1 }]);
    for (const attack of record.attacks) {
      const want = expected.early_attack_paper_mode_first48[attack.name];
      if (!want) throw new Error(`no reference for alpha ${attack.name}`);
      expect(Math.abs((attack.early?.labels.value as number) - want.success)).toBeLessThanOrEqual(0.06);
      expect(Math.abs((attack.l2Mean as number) / (want.l2_pixels_mean_success as number) - 1)).toBeLessThanOrEqual(
        0.15,
      );
      expect(attack.early?.alreadyDisagree).toBe(Math.round(want.all_exits_disagree_when_clean * 48));
    }
  }, 240_000);
});
