/** @file The local engine: real tasks in child processes, with children that are killed, and tasks that fail. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runStudy } from "../../../src/node/engines/index.js";
import type { TaskNews } from "../../../src/studies/tasks/conduct.js";
import { graphOf } from "../../../src/studies/tasks/list.js";
import { chains, manyTasks, resultsIn, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

test("a study runs whole, in the order of its graph, and a second run has nothing to do", async () => {
  const list = await chains(3);
  const news: TaskNews[] = [];
  const options = { list, root: ".", threads: 2, onTask: (one: TaskNews) => news.push(one) };
  const { done, setAside } = await runStudy({ ...options, store: at("whole") });
  expect(setAside).toEqual([]);
  expect(done.size).toBe(list.tasks.length);
  expect(news.map(({ end }) => end)).toEqual(list.tasks.map(() => "done"));
  const place = new Map(news.map(({ key }, i) => [key, i]));
  for (const { key, task } of graphOf(list).all())
    for (const input of Object.values(task.inputs).flat()) expect(place.get(input)).toBeLessThan(place.get(key) ?? -1);
  expect(existsSync(at("whole/scratch")) ? readdirSync(at("whole/scratch")) : []).toEqual([]);
  news.length = 0;
  expect((await runStudy({ ...options, store: at("whole") })).done.size).toBe(list.tasks.length);
  expect(news).toEqual([]);
  await runStudy({ ...options, store: at("one"), threads: 1 });
  expect(resultsIn(at("one"))).toEqual(resultsIn(at("whole")));
});

test("a task that throws is set aside with all that need it, and the rest goes on", async () => {
  const list = await manyTasks(3);
  const [first] = list.tasks;
  const wrong = { ...first, parameters: { ...first?.parameters, network: { name: "joint", sha256: "0".repeat(64) } } };
  const { chainsEnd, study } = await broken(list, wrong);
  expect(chainsEnd.done.size).toBe(3);
  expect(chainsEnd.setAside.map(({ task, reason }) => [task.kind, reason])).toEqual([
    ["answers", expect.stringMatching(/joint: the list of tasks does not say where it is.*\[study\/value\]/)],
    ["thresholds", expect.stringMatching(/it needs task [0-9a-f]{12} \(answers\), which was set aside/)],
  ]);
  expect(study.tasks).toHaveLength(5);
});

async function broken(list: Awaited<ReturnType<typeof manyTasks>>, wrong: (typeof list.tasks)[number]) {
  const { keyOf } = await import("../../../src/studies/tasks/task.js");
  const needs = { kind: "thresholds", version: 1, parameters: {}, inputs: { answers: [keyOf(wrong)] } };
  const study = { ...list, tasks: [wrong, ...list.tasks, needs] };
  return { study, chainsEnd: await runStudy({ list: study, root: ".", threads: 1, store: at("broken") }) };
}
