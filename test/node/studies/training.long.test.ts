/** @file Networks that a study trains: what its plan says of them, and what their tasks leave. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeNpy } from "../../../src/data/npy.js";
import { backboneOf } from "../../../src/dynamic/model/exits.js";
import { type DynamicModel, dynamicModel } from "../../../src/dynamic/model/model.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { taskContext } from "../../../src/node/studies/context.js";
import { exportNetworks } from "../../../src/node/studies/export-networks.js";
import { checkedStudyFile, planStudy } from "../../../src/node/studies/plan.js";
import { readModel } from "../../../src/onnx/read.js";
import { writeModel } from "../../../src/onnx/write.js";
import type { StudyFileInput } from "../../../src/schema/study/file.js";
import type { StudyPlan } from "../../../src/schema/study/plan.js";
import { compileStudy, planHash, taskListOf } from "../../../src/studies/study/compile.js";
import { StudyResults } from "../../../src/studies/study/results.js";
import { subjectsOf } from "../../../src/studies/study/subjects.js";
import { viewRows } from "../../../src/studies/study/views.js";
import { inputsOf } from "../../../src/studies/tasks/graph.js";
import { memoryStore } from "../../../src/studies/tasks/memory-store.js";
import { runTask } from "../../../src/studies/tasks/run.js";
import { readCard } from "../../../src/training/run/card.js";
import { graphDigest } from "../../../src/training/run/network.js";
import { gatedSource } from "../../support/gated.js";
import { tinyRecords, tinyStudy, writeTinyArchive } from "../../support/tiny-training.js";
import { temporaryFolder } from "../engines/support.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const plan = (file: StudyFileInput): Promise<StudyPlan> =>
  planStudy(checkedStudyFile(file, "test"), { tier: null, root: folder });

beforeAll(() => writeTinyArchive(at("data"), 100));

const STUDY = tinyStudy("data");

describe("a plan", () => {
  test("trains nothing unasked: the networks are missing", async () => {
    const also = { ...STUDY.blocks[0], cell: "there", networks: { static: "zoo:resnet20-cifar10-static" } };
    const { networks, blocks, data } = await plan({ ...STUDY, blocks: [...STUDY.blocks, also] });
    expect(Object.keys(networks)).toEqual(["resnet20-cifar10-static"]);
    expect(blocks[0].missing.map(({ network }) => network)).toEqual(["tiny", "tiny-joint", "tiny-heads"]);
    expect(data.tiny.training).toBeUndefined();
    await expect(plan(STUDY)).rejects.toThrow(/none of its networks exists.*Let the study train them/);
  });

  test("asked to, names a recipe in place of a digest, and plans backbones first", async () => {
    const { networks, blocks, data } = await plan({ ...STUDY, train: true });
    expect(Object.keys(networks)).toEqual(["tiny", "tiny-joint", "tiny-heads"]);
    expect(Object.values(networks).map(({ sha256 }) => sha256)).toEqual([null, null, null]);
    expect(networks["tiny-heads"].training).toMatchObject({ recipe: "ic-only", init: "tiny", data: "tiny" });
    expect(blocks[0].missing).toEqual([]);
    expect(data.tiny.training).toMatchObject({ spec: "cifar10:data", test: null, images: 270 });
    const only = { ...STUDY.blocks[0], networks: { "ic-only": "recipe:tiny-heads" } };
    const alone = await plan({ ...STUDY, train: true, blocks: [only] });
    expect(Object.keys(alone.networks)).toEqual(["tiny", "tiny-heads"]);
  });

  test("takes the recipe of a network of the zoo from the index", async () => {
    const zoo = { ...STUDY.blocks[0], networks: { "ic-only": "zoo:vgg16-w0.25-cifar10-ic-only-s3" } };
    const { networks } = await plan({ ...STUDY, train: true, blocks: [zoo] });
    const { training, exits } = networks["vgg16-w0.25-cifar10-ic-only-s3"];
    expect(training).toMatchObject({ architecture: "vgg16", width: 0.25, init: "vgg16-w0.25-cifar10-static-s3" });
    expect(exits).toHaveLength(7);
    const wrong = { ...zoo, networks: { static: "zoo:vgg16-cifar100-static" } };
    await expect(plan({ ...STUDY, train: true, blocks: [wrong] })).rejects.toThrow(/is trained on cifar100.*Add data/);
  });

  test("with another recipe or other records has other tasks", async () => {
    const keys = async (file: StudyFileInput): Promise<Record<string, string>> => {
      const { tasks } = compileStudy(await plan({ ...file, train: true }));
      return Object.fromEntries(Object.keys(tasks.plan.networks).map((name) => [name, tasks.trained(name) ?? ""]));
    };
    const [first, again] = [await keys(STUDY), await keys(STUDY)];
    expect(again).toEqual(first);
    const longer = await keys(tinyStudy("data", 3));
    for (const name of Object.keys(first)) expect(longer[name]).not.toBe(first[name]);
    writeTinyArchive(at("other"), 100);
    writeFileSync(at("other/data_batch_3.bin"), tinyRecords(60, 33));
    const other = await keys(tinyStudy("other"));
    for (const name of Object.keys(first)) expect(other[name]).not.toBe(first[name]);
    // Heads have another backbone when only the backbone's recipe changes.
    const recipes = structuredClone(STUDY.recipes) ?? {};
    recipes.tiny.runs[0].seed = 77;
    const changed = await keys({ ...STUDY, recipes });
    expect(changed["tiny-joint"]).toBe(first["tiny-joint"]);
    expect(changed["tiny-heads"]).not.toBe(first["tiny-heads"]);
  });

  test.each([
    [{ "ic-only": "recipe:none" }, {}, /no recipe is called "none".*tiny-heads/],
    [{ static: "recipe:tiny" }, { tiny: { data: "none" } }, /names the data "none"/],
    [{ static: "recipe:tiny" }, { tiny: { init: "recipe:tiny" } }, /begins with its own weights/],
    [{ static: "recipe:tiny" }, { tiny: { init: "zoo:none" } }, /zoo:none/],
    [{ static: "recipe:tiny", joint: "zoo:tiny" }, {}, /zoo:tiny/],
    [
      { joint: "recipe:tiny-joint" },
      { "tiny-joint": { recipe: "gates" } },
      /tiny-joint has the part joint, but it skips blocks. Give it the part gates/,
    ],
  ])("with networks %j and recipes %j is refused", async (networks, changes, message) => {
    const recipes = structuredClone(STUDY.recipes) ?? {};
    for (const [name, change] of Object.entries(changes)) Object.assign(recipes[name], change);
    const block = { ...STUDY.blocks[0], networks };
    await expect(plan({ ...STUDY, train: true, recipes, blocks: [block] })).rejects.toThrow(message);
  });

  test("refuses a network with gates in a part of the claims, and one without gates in the part gates", async () => {
    writeFileSync(at("gated.onnx"), writeModel(gatedSource()));
    writeFileSync(at("still.onnx"), writeModel(gatedSource({ plain: [0, 1, 2, 3] })));
    const withParts = (networks: object) => plan({ ...STUDY, blocks: [{ ...STUDY.blocks[0], networks }] });
    await expect(withParts({ static: "gated.onnx" })).rejects.toThrow(/gated.onnx has the part static.*part gates/);
    await expect(withParts({ gates: "still.onnx" })).rejects.toThrow(/still.onnx has the part gates.*has no gates/);
  });

  test("refuses to attack images that it trains on", async () => {
    const refused = (data: StudyFileInput["data"][string]) =>
      expect(plan({ ...STUDY, train: true, data: { tiny: data } })).rejects;
    await refused({ records: "cifar10:data#train" }).toThrow(
      /7\d of 80 images of the data "tiny" are among those that networks are trained on/,
    );
    await refused({ records: "sample" }).toThrow(/do not say which records.*field training/);
    const pixels = Uint8Array.from({ length: 220 * 3072 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
    const labels = Int32Array.from({ length: 220 }, (_, i) => i % 10);
    const write = (name: string, from: number, to: number) => {
      const count = to - from;
      const images = { dtype: "uint8", dims: [count, 3, 32, 32], data: pixels.slice(from * 3072, to * 3072) } as const;
      writeFileSync(at(`${name}-x.npy`), writeNpy(images));
      writeFileSync(at(`${name}-y.npy`), writeNpy({ dtype: "int32", dims: [count], data: labels.slice(from, to) }));
      return `npy:${name}-x.npy,${name}-y.npy`;
    };
    const training = write("training", 0, 100);
    await refused({ records: write("over", 90, 220), training }).toThrow(/of 80 images of the data "tiny" are among/);
    const apart = { records: write("apart", 100, 220), training };
    const { data } = await plan({ ...STUDY, train: true, data: { tiny: apart } });
    expect(data.tiny.training).toMatchObject({ spec: training, test: apart.records, images: 90 });
  });
});

describe("tasks that train", () => {
  const store = memoryStore();
  const results = new StudyResults(store);
  let planned: StudyPlan;
  let compiled: ReturnType<typeof compileStudy>;
  const models = new Map<string, DynamicModel>();

  const contextNow = () =>
    taskContext({ list: taskListOf(compiled), store, backend: ortNode({ threads: 1 }), root: folder });

  beforeAll(async () => {
    planned = await plan({ ...STUDY, train: true });
    compiled = compileStudy(planned);
    const { tasks } = compiled;
    const context = contextNow();
    for (const name of Object.keys(planned.networks)) {
      const key = tasks.trained(name) ?? "";
      const manifest = await runTask(key, tasks.graph.get(key), store, context);
      models.set(name, dynamicModel(readModel(await store.file(manifest, "network.onnx"), { name }), { name }));
    }
  }, 120_000);

  const model = (name: string): DynamicModel => models.get(name) as DynamicModel;

  test("leave networks with the exits and costs that the plan says", () => {
    for (const [name, { exits, parameters, classes }] of Object.entries(planned.networks)) {
      const got = model(name).exits.map((e) => ({
        ...{ name: e.name, output: e.output, macs: e.macs, costFraction: e.costFraction },
      }));
      expect([got, model(name).parameters, model(name).classes]).toEqual([exits, parameters, classes]);
    }
    expect(planned.networks["tiny-joint"].exits).toHaveLength(3);
  });

  test("train heads on the backbone of another task, bit for bit", () => {
    const backbone = backboneOf(model("tiny-heads").graph);
    const { initializers } = model("tiny").graph;
    const shared = [...backbone.initializers].filter(([name]) => initializers.has(name));
    expect(shared.length).toBeGreaterThan(20);
    for (const [name, { data }] of shared) expect(data).toEqual(initializers.get(name)?.data);
  });

  test("leave right answers of each exit, and the digest of the network", async () => {
    const { tasks } = compiled;
    const heads = await results.trained(tasks.trained("tiny-heads") ?? "");
    expect(heads.exits.map(({ name, test: { count }, validation }) => [name, count, validation.count])).toEqual(
      model("tiny-heads").exits.map(({ name }) => [name, 100, 30]),
    );
    const twoRuns = await results.trained(tasks.trained("tiny") ?? "");
    expect(twoRuns.curve).toHaveLength(4);
    expect(twoRuns.exits[0].test.right).toBeGreaterThan(10);
    const finished = subjectsOf(tasks).filter(({ task }) => task.kind === "train");
    const manifests = await Promise.all(
      finished.map(async (topic) => ({ topic, manifest: await results.manifest(topic.key) })),
    );
    const { networks, tasks: rows } = await viewRows(tasks, manifests, results);
    expect(networks.map(({ name, sha256 }) => [name, sha256])).toEqual([
      ["tiny", twoRuns.sha256],
      ["tiny-joint", expect.stringMatching(/^[0-9a-f]{64}$/)],
      ["tiny-heads", heads.sha256],
    ]);
    expect(rows.map(({ network, records, data }) => [network, records, data])).toEqual(
      ["tiny", "tiny-joint", "tiny-heads"].map((name) => [name, "training", "tiny"]),
    );
  });

  test("leave networks that can be taken out, with their cards", async () => {
    const { tasks } = compiled;
    const { written, left } = await exportNetworks(tasks, store, at("networks"));
    expect([written, left]).toEqual([Object.keys(planned.networks).map((name) => at(`networks/${name}.onnx`)), []]);
    for (const name of Object.keys(planned.networks)) {
      const taken = readModel(readFileSync(at(`networks/${name}.onnx`)), { name });
      const facts = await results.trained(tasks.trained(name) ?? "");
      expect(graphDigest(taken.graph)).toBe(facts.sha256);
      const card = readCard(taken.metadata, name);
      expect(card?.training.epochs).toBe(planned.networks[name].training?.runs.at(-1)?.epochs);
      expect(card?.exits.map(({ test: counted }) => counted)).toEqual(facts.exits.map(({ test: counted }) => counted));
    }
    const only = async (key: string) => (key === tasks.trained("tiny") ? store.manifest(key) : undefined);
    const half = { ...store, manifest: only };
    expect((await exportNetworks(tasks, half, at("half"))).left).toEqual(["tiny-joint", "tiny-heads"]);
  });

  test("train the second run from the weights of the first", async () => {
    const recipes = structuredClone(STUDY.recipes) ?? {};
    recipes.tiny.runs.splice(0, 1);
    const block = { ...STUDY.blocks[0], networks: { static: "recipe:tiny" } };
    const { tasks, ...other } = compileStudy(await plan({ ...STUDY, train: true, recipes, blocks: [block] }));
    const context = taskContext({ list: taskListOf({ tasks, ...other }), store, backend: ortNode(), root: folder });
    const key = tasks.trained("tiny") ?? "";
    await runTask(key, tasks.graph.get(key), store, context);
    const [alone, after] = [await results.trained(key), await results.trained(compiled.tasks.trained("tiny") ?? "")];
    expect(alone.sha256).not.toBe(after.sha256);
    expect(after.curve).toHaveLength(alone.curve.length + 2);
  });

  test("are inputs of all tasks that run their networks, and of trainings that begin with them", () => {
    const { graph } = compiled.tasks;
    const key = (name: string): string => compiled.tasks.trained(name) ?? "";
    expect(inputsOf(graph.get(key("tiny-heads")))).toEqual([key("tiny")]);
    const trains = new Set(Object.keys(planned.networks).map((name) => compiled.tasks.trained(name)));
    const users = graph.all().filter(({ task }) => ["answers", "craft", "finite-differences"].includes(task.kind));
    expect(users.length).toBeGreaterThan(20);
    for (const { task } of users) expect(inputsOf(task).some((key) => trains.has(key))).toBe(true);
  });

  test("give their network to other tasks by the key", async () => {
    const { tasks } = compiled;
    const key = tasks.clean("tiny-joint", "reported");
    const { parameters } = tasks.graph.get(key);
    expect(parameters.network).toEqual({ name: "tiny-joint", task: tasks.trained("tiny-joint") });
    const manifest = await runTask(key, tasks.graph.get(key), store, contextNow());
    expect(Object.keys(manifest.files)).toEqual(["answers.parquet", "logits.npy"]);
    const { answers, labels } = await results.answers(key);
    expect([answers.length, answers[0].length, labels.length]).toEqual([20, 3, 20]);
  });

  test("refuse records that have changed", async () => {
    const path = at("data/data_batch_2.bin");
    const before = readFileSync(path);
    writeFileSync(path, tinyRecords(60, 22));
    const key = compiled.tasks.trained("tiny") ?? "";
    await expect(runTask(key, compiled.tasks.graph.get(key), memoryStore(), contextNow())).rejects.toThrow(
      /records to train on, cifar10:data: its digest is/,
    );
    writeFileSync(path, before);
    expect(planHash(await plan({ ...STUDY, train: true }))).toBe(planHash(planned));
  });
});
