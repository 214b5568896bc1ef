/** @file Two workers on one Redis do 200 tasks, each once. With one killed midway the other one does the rest. On the build. */
import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runStudy } from "../../../src/node/engines/index.js";
import { openStore } from "../../../src/node/store/open.js";
import { publishList, type TaskList } from "../../../src/studies/tasks/list.js";
import { NO_REDIS, TestRedis } from "./redis.js";
import { manyTasks, resultsIn, temporaryFolder } from "./support.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A worker as a process, with short times of the queue; `done` are the keys of the tasks that it did. */
function worker(redis: string, store: string) {
  const script = join(ROOT, "scripts/study-kills/process.mjs");
  const child: ChildProcess = spawn(process.execPath, [script, "worker", JSON.stringify({ redis, store })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout?.on("data", (text: Buffer) => {
    out += text;
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const lines = () =>
    out
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" "));
  return { child, ended, lines, done: () => lines().flatMap(([key, end]) => (end === "done" ? [key] : [])) };
}

describe.skipIf(NO_REDIS)("200 tasks and two workers", () => {
  let list: TaskList;
  beforeAll(async () => {
    list = await manyTasks(200);
  });

  test("every task is done once", async () => {
    const redis = await TestRedis.start();
    await publishList(list, await openStore(at("calm")));
    const workers = [worker(redis.url, at("calm")), worker(redis.url, at("calm"))];
    const engine = { name: "bullmq", redis: redis.url } as const;
    const { done, setAside } = await runStudy({ list, root: ROOT, store: at("calm"), engine });
    expect([done.size, setAside]).toEqual([200, []]);
    for (const { child } of workers) child.kill("SIGTERM");
    await Promise.all(workers.map(({ ended }) => ended));
    const lines = workers.flatMap((one) => one.lines());
    expect(lines.filter(([, end]) => end !== "done")).toEqual([]);
    expect(lines).toHaveLength(200);
    expect(new Set(lines.map(([key]) => key)).size).toBe(200);
    for (const one of workers) expect(one.done().length).toBeGreaterThan(20);
  }, 300_000);

  test("one is killed midway, and the other one does the rest", async () => {
    const redis = await TestRedis.start();
    await publishList(list, await openStore(at("killed")));
    const [first, second] = [worker(redis.url, at("killed")), worker(redis.url, at("killed"))];
    const engine = { name: "bullmq", redis: redis.url } as const;
    const run = runStudy({ list, root: ROOT, store: at("killed"), engine });
    while (first.done().length < 30) await pause(20);
    first.child.kill("SIGKILL");
    const { done, setAside } = await run;
    second.child.kill("SIGTERM");
    await Promise.all([first.ended, second.ended]);
    expect([done.size, setAside]).toEqual([200, []]);
    // The killed worker may have published a task without a word.
    expect(new Set([...first.done(), ...second.done()]).size).toBeGreaterThanOrEqual(198);
    expect(resultsIn(at("killed"))).toEqual(resultsIn(at("calm")));
  }, 300_000);
});

test.skipIf(!NO_REDIS)(`two workers are not tested: ${NO_REDIS}`, () => undefined);
