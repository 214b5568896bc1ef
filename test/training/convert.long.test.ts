/** Conversion on a small residual network: what stays, what is learned, what is written, what is refused. */
import { beforeAll, describe, expect, test } from "vitest";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { type Dataset, subset } from "../../src/data/dataset.js";
import { readMetadata } from "../../src/dynamic/model/metadata.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { route } from "../../src/dynamic/route/route.js";
import { int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { OnnxModel } from "../../src/onnx/model.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { runReference } from "../../src/runtime/reference.js";
import { type Conversion, type ConvertOptions, convert } from "../../src/training/convert/convert.js";
import { measureConversion, planConversion } from "../../src/training/convert/plan.js";
import { answersOf } from "../../src/training/run/evaluate.js";
import { answers, pixels } from "../nn/support.js";
import { failure } from "../support/failure.js";
import { backbone, bytesOf, CLASSES, earlyExits, patterns, SIDE } from "../support/training.js";

const NAMES = ["red", "green", "blue"];
const asFile = (graph: Graph, metadata: Record<string, string> = {}): OnnxModel =>
  readModel(writeModel({ graph, metadata: new Map(Object.entries(metadata)) }));
const source = asFile(backbone(), { author: "somebody", "dynn.classes": JSON.stringify(NAMES), "dynn.card": "stale" });

const DATA = { train: patterns(60), validation: patterns(60, { seed: 2 }), test: patterns(30, { seed: 3 }) };
const converted = (options: Partial<ConvertOptions> = {}, from = source): Promise<Conversion> =>
  convert(from, {
    ...DATA,
    exits: { kind: "values", values: ["hidden"] },
    backend: ortNode({ threads: 1 }),
    epochs: 4,
    training: { batch: 20, peak: 0.02 },
    ...options,
  });

const relabelled = (data: Dataset): Dataset => ({ ...data, labels: data.labels.map((label) => (label + 1) % CLASSES) });
const IMAGES = pixels(4, 3, SIDE, SIDE);

describe.each(["ic-only", "distill"] as const)("a conversion by %s", (recipe) => {
  let result: Conversion;
  beforeAll(async () => {
    result = await converted({ recipe });
  });

  test("leaves every initializer of the source as it was, bit for bit", () => {
    const [before, after] = [bytesOf(source.graph.initializers), bytesOf(result.graph.initializers)];
    expect(Object.keys(before).length).toBeGreaterThan(10);
    for (const [name, bytes] of Object.entries(before)) expect(after[name], name).toBe(bytes);
    const added = Object.keys(after).filter((name) => !(name in before) && !name.startsWith("const"));
    expect(added.every((name) => name.startsWith("exit0."))).toBe(true);
  });

  test("leaves the final logits as they were, to the bit on the reference backend and on ONNX Runtime", async () => {
    const image = fromNumbers("float32", [1, 3, SIDE, SIDE], [...toNumbers(IMAGES)].slice(0, 3 * SIDE * SIDE));
    const [before, after] = [source.graph, result.graph].map((graph) => runReference(graph, { images: image }).logits);
    expect([...toNumbers(after)]).toEqual([...toNumbers(before)]);
    expect((await answers(result.graph, IMAGES)).logits).toEqual((await answers(source.graph, IMAGES)).logits);
  });

  test("trains the head: its loss falls", () => {
    const losses = result.epochs.map((e) => e.exitLosses[0]);
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]);
    for (const epoch of result.epochs) expect(epoch.validationLosses[1]).toBe(result.epochs[0]?.validationLosses[1]);
  });
});

test("classes in another order are matched by name", async () => {
  const turned = (data: Dataset): Dataset => ({
    ...data,
    classes: ["Blue", "red", "GREEN"],
    labels: data.labels.map((label) => (label + 1) % CLASSES),
  });
  const options = { policy: "none", epochs: 1 } as const;
  const other = { train: turned(DATA.train), validation: turned(DATA.validation), test: turned(DATA.test) };
  const [plain, matched] = [await converted(options), await converted({ ...options, ...other })];
  expect(bytesOf(matched.graph.initializers)).toEqual(bytesOf(plain.graph.initializers));
  expect([matched.validation, matched.test]).toEqual([plain.validation, plain.test]);
});

test("distilled from the final exit alone, heads do not depend on labels", async () => {
  const training = { batch: 20, peak: 0.02, distill: { weight: 1 } };
  const run = async (train: Dataset) =>
    bytesOf((await converted({ recipe: "distill", train, training, policy: "none", epochs: 2 })).graph.initializers);
  const plain = await run(DATA.train);
  expect(await run(relabelled(DATA.train))).toEqual(plain);
  const labels = await converted({ policy: "none", epochs: 2 });
  expect(bytesOf(labels.graph.initializers)["exit0.weight"]).not.toBe(plain["exit0.weight"]);
});

describe("a converted file", () => {
  test("keeps what the source's said of itself, and says exits, classes and policy", async () => {
    const { graph, metadata, policy, exits } = await converted();
    const model = dynamicModel(readModel(writeModel({ graph, metadata })));
    expect(metadata.get("author")).toBe("somebody");
    expect(metadata.has("dynn.card")).toBe(false);
    expect(model.classNames).toEqual(NAMES);
    expect(model.exits).toEqual(exits);
    expect(model.exits.map((e) => e.name)).toEqual(["exit0", "final"]);
    expect(model.policy).toEqual(policy);
    expect(policy).toMatchObject({ rule: "max-softmax", fallback: "final", thresholds: [expect.any(Number)] });
  });

  test("counts right answers and cost as routing one record after the other does", async () => {
    const { graph, exits, policy, validation, test: tested } = await converted();
    for (const [part, tally] of [
      [DATA.validation, validation],
      [DATA.test, tested],
    ] as const)
      for await (const { logits, labels } of answersOf(graph, exits, part, ortNode(), { batch: 7 })) {
        const routed = route(logits, policy as NonNullable<typeof policy>);
        expect(tally?.count).toBe(part.count);
        expect(tally?.routed?.right).toBe(routed.filter((r, i) => r.label === labels[i]).length);
        const cost = routed.reduce((sum, r) => sum + (exits[r.stop]?.costFraction ?? 0), 0) / part.count;
        expect(tally?.routed?.cost).toBeCloseTo(cost, 12);
      }
  });

  test("has a policy that never saw the test records", async () => {
    const [plain, other] = [await converted(), await converted({ test: relabelled(DATA.test) })];
    expect(other.policy).toEqual(plain.policy);
    expect(other.validation).toEqual(plain.validation);
    expect(other.test).not.toEqual(plain.test);
    const moved = await converted({ validation: relabelled(DATA.validation) });
    expect(moved.validation).not.toEqual(plain.validation);
  });

  test("has no policy where none is asked for, and needs no validation records for one then", async () => {
    const few = subset(DATA.validation, [0, 1, 2]);
    const { metadata, policy, validation } = await converted({ policy: "none", validation: few, test: undefined });
    expect([policy, validation.routed, validation.count]).toEqual([undefined, undefined, 3]);
    expect(readMetadata(metadata, "file").policy).toBeUndefined();
  });

  test("normalises where the source wanted that done for it", async () => {
    const normalization = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.5] };
    const plan = planConversion(source, DATA.train, { normalization });
    const normalised = [...toNumbers(IMAGES)].map((v, i) => {
      const channel = Math.floor(i / SIDE ** 2) % 3;
      return (v - normalization.mean[channel]) / normalization.std[channel];
    });
    const before = (await answers(source.graph, fromNumbers("float32", [4, 3, SIDE, SIDE], normalised))).logits;
    const after = (await answers(plan.model.graph, IMAGES)).logits;
    after?.forEach((v, i) => {
      expect(v).toBeCloseTo(before?.[i], 4);
    });
    const { normalization: kept } = await converted({ normalization, epochs: 1 }).then(({ metadata }) =>
      readMetadata(metadata, "file"),
    );
    expect(kept).toEqual(normalization);
  });

  test("has new exits in place of those that the source had", () => {
    const plan = planConversion(asFile(earlyExits()), DATA.train);
    expect(plan.replaced).toEqual(["exit0"]);
    expect(plan.model.exits.at(-1)).toMatchObject({ name: "final", logits: "logits" });
  });

  test("has logits where the source had probabilities", () => {
    const b = new GraphBuilder(backbone());
    b.clearOutputs();
    b.output(b.op("Softmax", ["logits"], { axis: int(1) }, "probabilities"), "float32", ["n", CLASSES]);
    const { model } = planConversion(asFile(b.build()), DATA.train);
    expect(model.graph.outputs.at(-1)?.name).toBe("logits");
  });

  test("takes images of the data's size where the source leaves it open", () => {
    const open = { ...backbone(), inputs: [{ name: "images", dtype: "float32" as const, shape: ["n", 3, "h", "w"] }] };
    const { model } = planConversion(asFile(open), DATA.train);
    expect(model.graph.inputs[0]?.shape).toEqual(["n", 3, SIDE, SIDE]);
  });
});

describe("places that are measured", () => {
  /** Every section takes a millisecond. */
  const ticking = () => {
    let time = 0;
    return { backend: ortNode({ threads: 1 }), batch: 5, runs: 3, warmUp: 1, now: () => time++ };
  };

  test("decide where exits stand, and are what the plan reports", async () => {
    const measured = await measureConversion(source, DATA.train, ticking());
    const shares = measured.places.map(({ fraction }) => fraction);
    expect(measured.batch).toBe(5);
    expect(shares).toEqual(shares.map((_, k) => expect.closeTo((k + 1) / (shares.length + 1), 12)));
    const exits = { kind: "fractions", fractions: [0.4] } as const;
    const plan = planConversion(source, DATA.train, { exits, measured });
    expect(plan.places.map(({ fraction }) => fraction)).toEqual(shares);
    const stands = plan.places.findIndex(({ exit }) => exit !== undefined);
    const counted = planConversion(source, DATA.train, { exits }).places;
    expect(stands).not.toBe(counted.findIndex(({ exit }) => exit !== undefined));
    expect(Math.abs(shares[stands] - 0.4)).toBe(Math.min(...shares.map((f) => Math.abs(f - 0.4))));
  });

  test("are those that are named, where exits are", async () => {
    const exits = { kind: "values", values: ["sum"] } as const;
    const measured = await measureConversion(source, DATA.train, { ...ticking(), request: { exits } });
    expect(measured.places.some(({ cut }) => cut === "sum")).toBe(true);
    expect(planConversion(source, DATA.train, { exits, measured }).places.find((p) => p.exit)?.cut).toBe("sum");
  });
});

test("a conversion that is stopped and resumed ends in the same bytes", async () => {
  const saved: NonNullable<ConvertOptions["resume"]>[] = [];
  const whole = await converted({ checkpoint: { everySeconds: 0, save: async (state) => void saved.push(state) } });
  const resumed = await converted({ resume: saved[3] });
  expect(bytesOf(resumed.graph.initializers)).toEqual(bytesOf(whole.graph.initializers));
  expect(resumed.metadata).toEqual(whole.metadata);
});

describe("a model or data that do not fit are refused:", () => {
  const classified = (make: (b: GraphBuilder, images: string) => string): OnnxModel => {
    const b = new GraphBuilder(emptyGraph("odd", 17));
    b.output(make(b, b.input("images", "float32", ["n", 3, SIDE, SIDE])), "float32", undefined);
    return asFile(b.build());
  };

  test("images of another size", () => {
    const other = { ...DATA.train, shape: [3, 9, 9] as const };
    expect(() => planConversion(source, other)).toThrow(
      failure(
        "data/shape",
        "patterns: images are [3,9,9] but small takes [3,8,8]. Give images of that size (folder:DIR without ?size resizes).",
      ),
    );
  });

  test("classes that it does not know, and labels outside its classes", () => {
    expect(() => planConversion(source, { ...DATA.train, classes: ["cat", "dog"] })).toThrow(
      failure(
        "data/label",
        'patterns: "cat" is unknown to small. Classes of the data: cat, dog. Classes of small: red, green, blue. Rename the classes of the data, or say which class of the model each one is.',
      ),
    );
    expect(() => planConversion(source, { ...DATA.train, labels: DATA.train.labels.map((v) => v + 1) })).toThrow(
      expect.objectContaining({ code: "data/label" }),
    );
  });

  test("no classifier", () => {
    const model = classified((b, images) => b.op("Relu", [images]));
    expect(() => planConversion(model, DATA.train)).toThrow(expect.objectContaining({ code: "model/classifier" }));
  });

  test("a model in training mode, whose answers depend on their batch", () => {
    const model = classified((b, images) => {
      const ones = b.constant(fromNumbers("float32", [3], [1, 1, 1]));
      const norm = b.ops("BatchNormalization", [images, ones, ones, ones, ones], 3, { training_mode: int(1) });
      return b.op("Flatten", [b.op("GlobalAveragePool", [norm[0]])]);
    });
    expect(() => planConversion(model, DATA.train)).toThrow(
      expect.objectContaining({ code: "model/attribute", message: expect.stringContaining("training mode") }),
    );
  });

  test("too few validation records to choose thresholds on", async () => {
    await expect(converted({ validation: patterns(12) })).rejects.toThrow(
      failure(
        "policy/validation",
        "patterns: 12 validation records, expected at least 50 to choose thresholds on. Give more records, or convert without a policy.",
      ),
    );
  });

  test("a place that is not a legal cut", () => {
    expect(() => planConversion(source, DATA.train, { exits: { kind: "values", values: ["bn2"] } })).toThrow(
      expect.objectContaining({ code: "exits/value", message: expect.stringContaining('"bn2" is not a legal cut') }),
    );
  });
});
