/** @file Tasks in one process: the same results as in a store of files, what is read and kept how often, and what is given back. */
import { expect, test } from "vitest";
import { attackConfigSchema } from "../../../src/attacks/spec.js";
import { type Dataset, inMemory } from "../../../src/data/dataset.js";
import type { DynamicModel } from "../../../src/dynamic/model/model.js";
import { route } from "../../../src/dynamic/route/route.js";
import type { Backend } from "../../../src/runtime/backend.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import type { NetworkRef } from "../../../src/schema/study/references.js";
import type { AnswerRow, OutcomeRow } from "../../../src/schema/study/tables.js";
import { StudyResults } from "../../../src/studies/study/results.js";
import { answersTask, type PlannedPolicy, policyTask } from "../../../src/studies/tasks/common.js";
import { InProcess } from "../../../src/studies/tasks/in-process.js";
import { makeTask } from "../../../src/studies/tasks/kind.js";
import { ANSWERS_FILE } from "../../../src/studies/tasks/kinds/answers.js";
import { craftKind } from "../../../src/studies/tasks/kinds/craft.js";
import { IMAGES_FILE, OUTCOMES_FILE } from "../../../src/studies/tasks/kinds/opened.js";
import { memoryStore } from "../../../src/studies/tasks/memory-store.js";
import { CommandPlan } from "../../../src/studies/tasks/plan.js";
import { runTask } from "../../../src/studies/tasks/run.js";
import { TASK_KINDS } from "../../../src/studies/tasks/table.js";
import type { TaskKey } from "../../../src/studies/tasks/task.js";
import { samplesOf, smallExits, victimOf } from "../../support/models.js";

const COUNT = 24;
const models: readonly DynamicModel[] = [smallExits(15), { ...smallExits(3), name: "other" }];
const [samples, others] = await Promise.all(models.map((model) => samplesOf(model, COUNT)));
const bytes = Uint8Array.from(samples.flatMap(({ pixels }) => Array.from(pixels, (v) => Math.round(255 * v))));
// Each network is right on its own half, and where they agree: their answers differ from image to image.
const labels = Int32Array.from(samples, ({ label }, i) => (i % 2 === 0 ? label : others[i].label));
const made = inMemory({ name: "made", shape: [3, 8, 8], classes: undefined, labels }, bytes);

/** Counts what is read, and which sessions are open. */
function counted() {
  const reads: number[] = [];
  const data: Dataset = {
    ...made,
    read: (indices, out) => {
      reads.push(indices.length);
      return made.read(indices, out);
    },
  };
  const open = new Set<object>();
  const backend: Backend = {
    ...referenceBackend,
    compile: async (graph) => {
      const session = await referenceBackend.compile(graph);
      open.add(session);
      const release = async () => {
        open.delete(session);
        await session.release();
      };
      return { ...session, release };
    },
  };
  return { reads, data, open, backend };
}

const options = (backend: Backend) => ({
  ...{ backend, kinds: TASK_KINDS, version: "test", now: () => 0 },
  memory: { batch: 5, chosen: false },
});

/** Both networks answer, and the first one is attacked where both are right. Both judge the images. */
function planOf(networks: readonly NetworkRef[], data: ReturnType<InProcess["data"]>) {
  const plan = new CommandPlan();
  const { policy } = victimOf(models[0], 2);
  const choice = { kind: "fixed", policy } as const;
  const planned = networks.map((network, i): PlannedPolicy => ({ network, model: models[i], choice, reader: policy }));
  const policies = planned.map((one) => policyTask(plan, one, "validation images"));
  const clean = planned.map((one) => plan.add(answersTask(one, data), `clean images of ${one.network.name}`));
  const attack = attackConfigSchema.parse({ name: "pgd", method: "pgd", radius: 0.06, steps: 4, iterate: "last" });
  const parameters = { network: networks[0], data, attack, seed: 1, macs: 1, gradients: 4 };
  const inputs = { policy: [policies[0]], clean: [clean[0]], agreed: clean, policies };
  const crafted = plan.add(makeTask(craftKind, parameters, inputs), "pgd");
  const judged = planned.map((one) => plan.add(answersTask(one, data, { images: crafted })));
  return { plan, policy, clean, crafted, judged };
}

async function ran(passing: readonly string[] = []) {
  const { reads, data, open, backend } = counted();
  const phases: string[] = [];
  const onProgress = ({ phase }: { readonly phase: string }) => phases.push(phase);
  const run = new InProcess({ ...options(backend), passing, onProgress });
  const planned = planOf(
    models.map((model) => run.network(model)),
    run.data(data),
  );
  await run.all(planned.plan);
  return { run, planned, reads, open, phases, opened: open.size };
}

test("the results are those of the same tasks in a store of files", async () => {
  const { run, planned } = await ran();
  const store = memoryStore();
  const context = {
    ...options(referenceBackend),
    network: async ({ name }: NetworkRef) => models.find((model) => model.name === name) as DynamicModel,
    data: async () => made,
    trainingData: () => Promise.reject(new Error("no task trains")),
  };
  for (const { key, task } of planned.plan.graph.all()) await runTask(key, task, store, context);
  const results = new StudyResults(store);
  expect(run.rows<OutcomeRow>(planned.crafted, OUTCOMES_FILE)).toEqual(await results.outcomes(planned.crafted));
  for (const key of [...planned.clean, ...planned.judged]) {
    const { samples: numbers, answers, confidences } = await results.answers(key);
    const rows = run.rows<AnswerRow>(key, ANSWERS_FILE);
    expect(rows.map((row) => row.answer)).toEqual(answers.flat());
    expect(rows.map((row) => row.confidence)).toEqual(confidences.flat());
    expect(rows.filter(({ exit }) => exit === 0).map((row) => row.sample)).toEqual(numbers);
  }
  await run.release();
});

test("an attack is on the records that all networks of its input answer rightly, and on no others", async () => {
  const { run, planned } = await ran();
  const right = planned.clean.map((key) => {
    const routed = route(run.measured(key).logits, planned.policy);
    return routed.map(({ label }, i) => label === labels[i]);
  });
  const both = Array.from(labels, (_, i) => i).filter((i) => right.every((one) => one[i]));
  const counts = [...right.map((one) => one.filter(Boolean).length), COUNT];
  expect(both.length).toBeLessThan(Math.min(...counts));
  expect(both.length).toBeGreaterThan(0);
  expect(run.rows<OutcomeRow>(planned.crafted, OUTCOMES_FILE).map(({ sample }) => sample)).toEqual(both);
  const judged = run.measured(planned.judged[1]);
  expect([...judged.labels]).toEqual(both.map((i) => labels[i]));
  await run.release();
});

test("pixels are read once for all tasks and networks, and sessions are given back", async () => {
  const { run, reads, opened, open } = await ran();
  expect(reads.filter((count) => count === COUNT)).toHaveLength(1);
  expect(opened).toBeGreaterThan(2);
  await run.release();
  expect(open.size).toBe(0);
});

test("a file that only tasks read is dropped behind the last one that reads it", async () => {
  const { run, planned } = await ran([IMAGES_FILE]);
  expect(() => run.array(planned.crafted, IMAGES_FILE)).toThrow(IMAGES_FILE);
  expect(run.rows(planned.crafted, OUTCOMES_FILE).length).toBeGreaterThan(0);
  const kept = await ran();
  expect(kept.run.array(kept.planned.crafted, IMAGES_FILE).dims[0]).toBeGreaterThan(0);
  const logits = (of: typeof kept, key: TaskKey) => of.run.measured(key).logits.exits;
  expect(logits({ ...kept, run, planned }, planned.judged[0])).toEqual(logits(kept, kept.planned.judged[0]));
  await run.release();
  await kept.run.release();
});

test("the user reads the phases of tasks that have one", async () => {
  const { run, phases } = await ran();
  expect([...new Set(phases)]).toEqual(["clean images of small", "clean images of other", "pgd"]);
  await run.release();
});

test("no task begins after the signal", async () => {
  const controller = new AbortController();
  const { data, backend } = counted();
  const phases: string[] = [];
  const onProgress = ({ phase }: { readonly phase: string }) => {
    phases.push(phase);
    controller.abort(new Error("enough"));
  };
  const run = new InProcess({ ...options(backend), signal: controller.signal, onProgress });
  const { plan } = planOf(
    models.map((model) => run.network(model)),
    run.data(data),
  );
  await expect(run.all(plan)).rejects.toThrow("enough");
  expect(phases).toEqual(["clean images of small"]);
  await run.release();
});
