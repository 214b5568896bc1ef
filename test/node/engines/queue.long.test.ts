/** @file The queue on Redis: two workers share a study, clear messages, failures and signals. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runStudy } from "../../../src/node/engines/index.js";
import { checkRedis, queuePackages, shownUrl } from "../../../src/node/engines/queue/redis.js";
import { runWorker } from "../../../src/node/engines/queue/worker.js";
import type { TaskList } from "../../../src/studies/tasks/list.js";
import { NO_REDIS, TestRedis } from "./redis.js";
import { chains, manyTasks, resultsIn, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** A worker in this process, with its tasks in children. */
function working(redis: TestRedis, store: string, threads = 1) {
  const stop = new AbortController();
  const ended: [key: string, end: string][] = [];
  const run = { redis: redis.url, store, root: ".", threads, signal: stop.signal };
  const done = runWorker({ ...run, onTask: ({ key }, { end }) => ended.push([key, end]) });
  return { ended, done, stop: () => stop.abort() };
}

describe.skipIf(NO_REDIS)("the queue", () => {
  test("gives each task to one of two workers, in the order of the graph", async () => {
    const redis = await TestRedis.start("secret");
    const list = await chains(3);
    const workers = [working(redis, at("two")), working(redis, at("two"))];
    const engine = { name: "bullmq", redis: redis.url } as const;
    const { done, setAside } = await runStudy({ list, root: ".", store: at("two"), engine, pollMs: 300 });
    expect([done.size, setAside]).toEqual([list.tasks.length, []]);
    for (const worker of workers) worker.stop();
    await Promise.all(workers.map(({ done: ended }) => ended));
    const ended = workers.flatMap((worker) => worker.ended);
    expect(ended.map(([, end]) => end)).toEqual(list.tasks.map(() => "done"));
    expect(new Set(ended.map(([key]) => key)).size).toBe(list.tasks.length);
    await runStudy({ list, root: ".", store: at("local"), threads: 1 });
    expect(resultsIn(at("two"))).toEqual(resultsIn(at("local")));
  }, 120_000);

  test("sets a task aside that fails, and goes on", async () => {
    const redis = await TestRedis.start();
    const list = await chains(1);
    const networks = {};
    const wrong: TaskList = { ...list, networks };
    const worker = working(redis, at("wrong"));
    const engine = { name: "bullmq", redis: redis.url } as const;
    const { done, setAside } = await runStudy({ list: wrong, root: ".", store: at("wrong"), engine, pollMs: 300 });
    worker.stop();
    await worker.done;
    expect(done.size).toBe(0);
    expect(setAside).toHaveLength(4);
    expect(setAside[0]?.reason).toMatch(/joint: the list of tasks does not say where it is.*\[study\/value\]/);
    expect(worker.ended).toHaveLength(1);
  });

  test("gets the tasks of a stopped worker back", async () => {
    const redis = await TestRedis.start();
    const list = await manyTasks(30);
    const first = working(redis, at("stopped"));
    const engine = { name: "bullmq", redis: redis.url } as const;
    const run = runStudy({ list, root: ".", store: at("stopped"), engine, pollMs: 300 });
    while (first.ended.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    first.stop();
    await first.done;
    const second = working(redis, at("stopped"));
    const { done, setAside } = await run;
    second.stop();
    await second.done;
    expect([done.size, setAside]).toEqual([30, []]);
    const did = [...first.ended, ...second.ended].filter(([, end]) => end === "done").map(([key]) => key);
    expect([did.length, new Set(did).size]).toEqual([30, 30]);
  }, 120_000);

  test("says what is wrong with a password", async () => {
    const redis = await TestRedis.start("secret");
    const packages = await queuePackages();
    await expect(checkRedis(packages, redis.urlWith("wrong"))).rejects.toThrow(
      /redis:\/\/\.\.\.@127\.0\.0\.1:\d+: Redis refuses access \(.*WRONGPASS.*\)\. Check the name and the password.*\[store\/unreachable\]/,
    );
    await expect(checkRedis(packages, redis.url.replace(":secret@", ""))).rejects.toThrow(/refuses access \(.*NOAUTH/);
    await checkRedis(packages, redis.url);
  });
});

test.skipIf(!NO_REDIS)(`the queue is not tested: ${NO_REDIS}`, () => undefined);

describe("a Redis that is not there", () => {
  test("is named, without its password", async () => {
    const packages = await queuePackages();
    await expect(checkRedis(packages, "redis://:secret@127.0.0.1:9")).rejects.toThrow(
      /^redis:\/\/\.\.\.@127\.0\.0\.1:9: Redis cannot be reached \(.*ECONNREFUSED.*\)\. Check that Redis runs there/,
    );
    expect(shownUrl("redis://user:secret@host:1")).toBe("redis://...@host:1");
  });

  test("needs a URL", async () => {
    await expect(checkRedis(await queuePackages(), "localhost")).rejects.toThrow(/Redis "localhost": is not a URL/);
  });
});
