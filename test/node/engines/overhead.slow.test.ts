/** @file What the engines cost beyond the work of the tasks: time per task, and memory of a process that conducts 10,000 tasks. */
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runStudy } from "../../../src/node/engines/index.js";
import { NO_REDIS, TestRedis } from "./redis.js";
import { manyTasks, temporaryFolder } from "./support.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Infinity;

test("a task costs less than 50 ms beyond its own work", async () => {
  const list = await manyTasks(120);
  const ends: { readonly at: number; readonly seconds: number }[] = [];
  await runStudy({
    ...{ list, root: ".", threads: 1, store: at("overhead") },
    onTask: ({ seconds = 0 }) => ends.push({ at: performance.now(), seconds }),
  });
  const beyond = ends.slice(1).map((end, i) => end.at - (ends[i]?.at ?? 0) - 1000 * end.seconds);
  console.log(`overhead per task: median ${median(beyond).toFixed(1)} ms`);
  expect(beyond).toHaveLength(119);
  expect(median(beyond)).toBeLessThan(50);
}, 120_000);

/** The largest memory of a process that conducts 10,000 tasks, in MB. On the build. */
async function memoryOf(engine: object): Promise<number> {
  const script = join(ROOT, "scripts/study-kills/memory.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [script, at("memory"), JSON.stringify(engine)]);
  const { tasks, megabytes } = JSON.parse(stdout);
  expect(tasks).toBe(10_000);
  return megabytes;
}

test("a process that conducts 10,000 tasks in children takes less than 500 MB", async () => {
  const megabytes = await memoryOf({ name: "local" });
  console.log(`local: ${megabytes.toFixed(0)} MB`);
  expect(megabytes).toBeLessThan(500);
}, 180_000);

test.skipIf(NO_REDIS)(
  `a process that conducts 10,000 tasks by a queue takes less than 500 MB`,
  async () => {
    const redis = await TestRedis.start();
    const megabytes = await memoryOf({ name: "bullmq", redis: redis.url });
    console.log(`bullmq: ${megabytes.toFixed(0)} MB`);
    expect(megabytes).toBeLessThan(500);
  },
  180_000,
);
