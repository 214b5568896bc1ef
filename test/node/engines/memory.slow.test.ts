/** @file The memory of a process that conducts 10,000 tasks. bench/study.mjs measures the time that a
 *  task costs beyond its work. */
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { NO_REDIS, TestRedis } from "./redis.js";
import { temporaryFolder } from "./support.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

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
