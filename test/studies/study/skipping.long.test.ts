/** @file A study of networks that skip blocks, with early exits and without: every task runs, and the numbers are counted again from the
 *  images and the networks. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verdictTable } from "../../../src/cli/study/verdicts.js";
import { Images } from "../../../src/core/images.js";
import { present } from "../../../src/core/present.js";
import { readNpy, writeNpy } from "../../../src/data/npy.js";
import { type DynamicModel, dynamicModel } from "../../../src/dynamic/model/model.js";
import { openGates } from "../../../src/dynamic/model/open-gates.js";
import { underPolicy } from "../../../src/dynamic/model/under-policy.js";
import { costShareOf } from "../../../src/dynamic/model/units.js";
import { argmax } from "../../../src/dynamic/route/policy.js";
import { type Routed, route } from "../../../src/dynamic/route/route.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { taskContext } from "../../../src/node/studies/context.js";
import { checkedStudyFile, planStudy } from "../../../src/node/studies/plan.js";
import { writeModel } from "../../../src/onnx/write.js";
import { studyFigures } from "../../../src/report/study/figures.js";
import { renderStudy } from "../../../src/report/study/page.js";
import type { Policy } from "../../../src/schema/policy.js";
import type { StudyFileInput } from "../../../src/schema/study/file.js";
import type { StudyPlan } from "../../../src/schema/study/plan.js";
import type { StudyRecord } from "../../../src/schema/study/record.js";
import { type CompiledStudy, compileStudy, taskListOf } from "../../../src/studies/study/compile.js";
import { studyRecord } from "../../../src/studies/study/record.js";
import { StudyResults } from "../../../src/studies/study/results.js";
import { memoryStore } from "../../../src/studies/tasks/memory-store.js";
import { runTask } from "../../../src/studies/tasks/run.js";
import { GATE_BIASES, type GatedOptions, gatedImages, gatedSource } from "../../support/gated.js";

const folder = mkdtempSync(join(tmpdir(), "dynn-skipping-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const backend = ortNode({ threads: 1 });

const STILL = { plain: [0, 1, 2, 3] };
const NETWORKS: Readonly<Record<string, GatedOptions>> = {
  "still.onnx": STILL,
  "gates.onnx": {},
  // One block more, so that it is another network.
  "deep.onnx": { plain: [0, 1, 2, 3, 4], biases: [...GATE_BIASES, 0] },
  "both.onnx": { exits: [0, 2] },
};

const SAMPLES = 40;
const COUNT = 120;
const DRAWN = 900;
const pgd = { method: "pgd", steps: 3, radius: 0.03 } as const;
const ATTACKS: StudyFileInput["attacks"] = [
  { name: "pgd-final", uses: ["transfer", "cost", "yield"], goal: "misclassify:final", ...pgd },
  { name: "pgd-routed", on: "dynamic", uses: ["transfer", "cost", "yield"], goal: "routed", ...pgd },
  { name: "pgd-max", on: "dynamic", uses: ["transfer"], goal: "max", ...pgd },
  { name: "white", uses: ["white-box"], goal: "misclassify:final", ...pgd },
  { name: "sign-noise", uses: ["control", "cost"], method: "sign-noise", radius: 0.03 },
  { name: "slowdown", on: "dynamic", uses: ["slowdown"], goal: "slowdown", ...pgd },
  { name: "check-radius", uses: ["check"], ...pgd, radius: 0.5 },
  { name: "early", on: "dynamic", uses: ["early"], goal: "early:minimum", method: "fmn", norm: "l2", steps: 40 },
];

const STUDY: StudyFileInput = {
  name: "skipping",
  ...{ samples: SAMPLES, checkSamples: SAMPLES, validation: 60, attacks: ATTACKS },
  policy: { primary: "budget:80%" },
  data: { made: { records: "npy:x.npy,y.npy" } },
  blocks: [
    { cell: "narrow", data: "made", networks: { static: "still.onnx", gates: "gates.onnx" } },
    { cell: "deep", data: "made", networks: { static: "deep.onnx", gates: "both.onnx" } },
  ],
};

/** Records whose answer all four networks share. It is their label, so that samples are eligible. */
async function writeRecords(): Promise<void> {
  const pixels = Uint8Array.from(gatedImages(DRAWN, 5), (v) => Math.round(255 * v));
  const answers = await Promise.all(Object.keys(NETWORKS).map((name) => finalAnswers(name, pixels)));
  const [labels] = answers;
  const agreed = labels.flatMap((label, i) => (answers.every((each) => each[i] === label) ? [i] : [])).slice(0, COUNT);
  const kept = Uint8Array.from(agreed.flatMap((i) => [...pixels.subarray(i * 192, (i + 1) * 192)]));
  expect(agreed).toHaveLength(COUNT);
  writeFileSync(at("x.npy"), writeNpy({ dtype: "uint8", dims: [COUNT, 3, 8, 8], data: kept }));
  const y = Int32Array.from(agreed, (i) => labels[i]);
  writeFileSync(at("y.npy"), writeNpy({ dtype: "int32", dims: [COUNT], data: y }));
}

async function finalAnswers(name: string, pixels: Uint8Array): Promise<number[]> {
  const model = dynamicModel(gatedSource(NETWORKS[name]), { name });
  const forward = await Forward.compile(model, { backend });
  const logits = await forward.logits(
    Images.for(
      model,
      Float32Array.from(pixels, (v) => v / 255),
    ),
    { batch: 60 },
  );
  await forward.release();
  return Array.from({ length: DRAWN }, (_, i) => argmax(logits.row(model.exits.length - 1, i)));
}

const store = memoryStore();
let plan: StudyPlan;
let compiled: CompiledStudy;
let record: StudyRecord;

beforeAll(async () => {
  await writeRecords();
  for (const [name, options] of Object.entries(NETWORKS)) writeFileSync(at(name), writeModel(gatedSource(options)));
  plan = await planStudy(checkedStudyFile(STUDY, "test"), { tier: null, root: folder });
  compiled = compileStudy(plan);
  const context = taskContext({ list: taskListOf(compiled), store, backend, root: folder });
  for (const { key, task } of compiled.tasks.graph.all()) await runTask(key, task, store, context);
  record = await studyRecord(plan, store, { edited: false, notRun: [], version: "test" });
}, 300_000);

const modelOf = (name: string): DynamicModel => dynamicModel(gatedSource(NETWORKS[name]), { name });
const networkRecord = (name: string) =>
  present(
    record.networks.find((each) => each.name === name),
    name,
  );
const explored = () => present(record.exploratory, "the exploratory part");

/** What the network answers for 8-bit images, computed without any task. */
async function answersOf(name: string, pixels: ArrayLike<number>): Promise<{ routed: Routed[]; full: number[] }> {
  const policy = networkRecord(name).policy as Policy;
  const model = underPolicy(modelOf(name), policy);
  const images = Images.for(
    model,
    Float32Array.from(pixels, (v) => v / 255),
  );
  const [forward, open] = [
    await Forward.compile(model, { backend }),
    await Forward.compile(openGates(model), { backend }),
  ];
  const logits = await forward.logits(images, { batch: 40 });
  const full = await open.logits(images, { batch: 40 });
  await Promise.all([forward.release(), open.release()]);
  const last = model.exits.length - 1;
  return {
    routed: route(logits, policy),
    full: Array.from({ length: images.count }, (_, i) => argmax(full.row(last, i))),
  };
}

function recordsOf(): { pixels: Uint8Array; labels: number[] } {
  const pixels = readNpy(readFileSync(at("x.npy")), "x.npy").data as Uint8Array;
  const labels = Array.from(readNpy(readFileSync(at("y.npy")), "y.npy").data as Int32Array);
  return { pixels: pixels.subarray(0, SAMPLES * 192), labels: labels.slice(0, SAMPLES) };
}

/** The images that an attack left, and what the study says of each. */
async function crafted(network: string, attack: string, records: "reported" | "checks") {
  const chosen = present(
    plan.attacks.find(({ name }) => name === attack),
    attack,
  );
  const key = compiled.tasks.craft({ part: { network }, attack: chosen, records });
  const manifest = present(await store.manifest(key), "the attack");
  return {
    pixels: readNpy(await store.file(manifest, "images.npy"), "images.npy").data as Uint8Array,
    outcomes: await new StudyResults(store).outcomes(key),
  };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe.each(["gates.onnx", "both.onnx"])("%s", (name) => {
  const block = name === "gates.onnx" ? "narrow-s1" : "deep-s1";

  test("has the accuracy and the mean cost of its paths on clean images", async () => {
    const { pixels, labels } = recordsOf();
    const { routed } = await answersOf(name, pixels);
    const costs = routed.map((path) => costShareOf(modelOf(name), path));
    const { cost, routed: accuracy, gates } = networkRecord(name);
    expect(cost).toBeCloseTo(mean(costs), 12);
    expect(accuracy.value).toBeCloseTo(mean(routed.map(({ label }, i) => Number(label === labels[i]))), 12);
    expect(gates?.map(({ macs }) => macs)).toEqual(modelOf(name).gates.map(({ macs }) => macs));
    // The costs of exits alone would be wrong: each gate is open for some images and closed for others.
    const bits = routed.flatMap((path) => path.gates ?? []);
    expect(bits).toEqual(expect.arrayContaining([0, 1]));
  });

  test("has the change of cost that the slowdown's images make", async () => {
    const { pixels, labels } = recordsOf();
    const [clean, attacked] = [
      await answersOf(name, pixels),
      await answersOf(name, (await crafted(name, "slowdown", "reported")).pixels),
    ];
    const share = (path: Routed): number => costShareOf(modelOf(name), path);
    const right = labels.flatMap((label, i) => (clean.routed[i].label === label ? [i] : []));
    const shifts = right.map((i) => share(attacked.routed[i]) - share(clean.routed[i]));
    const row = explored().questions.cost.find((each) => each.block === block && each.attack === "slowdown");
    expect(row).toMatchObject({ samples: right.length, shift: { value: expect.closeTo(mean(shifts), 12) } });
    expect(new Set(shifts).size).toBeGreaterThan(1);
  });

  test("keeps the label of the full network and changes the routed one under the early attack", async () => {
    const { pixels } = recordsOf();
    const { pixels: images, outcomes } = await crafted(name, "early", "checks");
    const [clean, attacked] = [await answersOf(name, pixels), await answersOf(name, images)];
    const wins = outcomes.flatMap(({ eligible, success }, i) => (eligible && success ? [i] : []));
    expect(wins.length).toBeGreaterThan(30);
    // Successes are those before rounding. Few images lie so near the boundary that rounding loses them.
    const held = wins.filter((i) => attacked.full[i] === clean.full[i] && attacked.routed[i].label !== clean.full[i]);
    expect(held.length).toBeGreaterThan(0.9 * wins.length);
    const row = explored().questions.early.rows.find(({ network }) => network === name);
    expect(row).toMatchObject({ role: "gates", successes: wins.length, dependency: null, firing: null });
  });

  test("has the white-box success of the routed answer", async () => {
    const { pixels, labels } = recordsOf();
    const fixed = name === "gates.onnx" ? "still.onnx" : "deep.onnx";
    const images = (await crafted(name, "white", "reported")).pixels;
    const [clean, attacked, still] = [
      await answersOf(name, pixels),
      await answersOf(name, images),
      await answersOf(fixed, pixels),
    ];
    const row = present(
      explored().questions.robustness.find((each) => each.block === block),
      block,
    );
    const both = labels.flatMap((y, i) => (clean.routed[i].label === y && still.routed[i].label === y ? [i] : []));
    // The final exit must be right too. Without early exits, that is the routed answer.
    if (name === "gates.onnx") {
      expect(row.eligible).toBe(both.length);
      expect(row.routed.value).toBeCloseTo(mean(both.map((i) => Number(attacked.routed[i].label !== labels[i]))), 12);
    }
    expect(row.eligible).toBeGreaterThan(5);
    expect(row.eligible).toBeLessThanOrEqual(both.length);
  });
});

test("a goal that needs early exits is left out for a network of gates alone", () => {
  const names = (network: string) => compiled.tasks.attacksFor("transfer", network).map(({ name }) => name);
  expect([names("still.onnx"), names("gates.onnx"), names("both.onnx")]).toEqual([
    ["pgd-final"],
    ["pgd-final"],
    ["pgd-final", "pgd-routed", "pgd-max"],
  ]);
});

test("verdicts do not read networks that skip blocks", () => {
  for (const { blocks, verdict } of record.verdicts) expect([blocks, verdict]).toEqual([0, "inconclusive"]);
  expect(JSON.stringify(record.questions)).not.toMatch(/gates\.onnx|both\.onnx/);
  const [matrix] = explored().questions.transfer.matrices;
  expect(matrix.targets).toEqual(["still.onnx", "gates.onnx", "deep.onnx", "both.onnx"]);
  // The training of gates.onnx begins with still.onnx, so these two share weights.
  expect(matrix.kinship[0]).toEqual(["same", "shared", "cross-arch", "cross-arch"]);
});

test("the attacks on networks that skip blocks are checked", () => {
  const { checks } = explored();
  expect(checks.map(({ name }) => name)).toContain("white-box at least as strong as transfer");
  // Attacks follow surrogates of gates, which no finite difference has.
  expect(checks.map(({ name }) => name)).not.toContain("routed gradient equals finite differences");
  expect(checks.length).toBe(5);
});

test("the report shows them as exploratory, and the command says so", () => {
  expect(verdictTable(record)).toContain("networks that skip blocks. No verdict reads them");
  const page = renderStudy(record);
  expect(page.includes('id="skipping"')).toBe(true);
  expect(/NaN|undefined/.test(page)).toBe(false);
  expect([...studyFigures(record).keys()].filter((name) => name.startsWith("skipping-")).length).toBeGreaterThan(4);
  const { exploratory: _, ...without } = record;
  expect(renderStudy(without).includes('id="skipping"')).toBe(false);
  expect(verdictTable(without)).not.toContain("skip blocks");
});
