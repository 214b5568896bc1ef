/** @file Child processes that are killed or told to stop, and runs that are stopped: nothing is lost, and results stay the same. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { uniform } from "../../../src/core/rng.js";
import { runStudy } from "../../../src/node/engines/index.js";
import { localEngine } from "../../../src/node/engines/local.js";
import { TaskPool } from "../../../src/node/engines/pool.js";
import { openStore } from "../../../src/node/store/open.js";
import { conduct, type TaskNews } from "../../../src/studies/tasks/conduct.js";
import { graphOf, publishList, type TaskList } from "../../../src/studies/tasks/list.js";
import { chains, resultsIn, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends a signal so many times, a millisecond apart, while the process is there. */
async function send(pid: number, signal: NodeJS.Signals, times: number): Promise<void> {
  try {
    for (let i = 0; i < times; i++) {
      process.kill(pid, signal);
      await pause(1);
    }
  } catch {
    // The process is gone.
  }
}

interface Shots {
  readonly signal: NodeJS.Signals;
  readonly seed: number;
  /** Signals in a row. Default: 1. */
  readonly times?: number;
}

/** Runs a list while children get signals. */
async function disturbed(list: TaskList, store: string, { signal, seed, times = 1 }: Shots) {
  const opened = await openStore(store);
  const key = await publishList(list, opened);
  const pool = new TaskPool({ store, root: "." }, 2);
  const news: TaskNews[] = [];
  const waits = uniform({ seed, sample: 0, purpose: "test", step: 0 }, 5, 50, 900);
  let isOver = false;
  const shoot = async () => {
    for (const wait of waits) {
      await pause(wait);
      while (pool.pids.length === 0 && !isOver) await pause(20);
      const pid = pool.pids[Math.floor(wait) % pool.pids.length];
      if (!isOver && pid !== undefined) await send(pid, signal, times);
    }
  };
  const shooting = shoot();
  try {
    return { end: await conduct(graphOf(list), opened, localEngine(key, pool), { onTask: (n) => news.push(n) }), news };
  } finally {
    isOver = true;
    pool.close();
    await shooting;
  }
}

describe("children that get signals", () => {
  let list: TaskList;
  beforeAll(async () => {
    list = await chains(6, { each: 4, steps: 10 });
    await runStudy({ list, root: ".", threads: 2, store: at("calm") });
  });

  test("SIGKILL costs the task of the child, once", async () => {
    const { end, news } = await disturbed(list, at("killed"), { signal: "SIGKILL", seed: 1 });
    const killed = news.filter((one) => one.end === "died");
    expect(killed.length).toBeGreaterThan(0);
    for (const { reason } of killed) expect(reason).toBe("signal SIGKILL, often for want of memory");
    const twice = new Set(end.setAside.map(({ key }) => key));
    expect(end.done.size + twice.size).toBe(list.tasks.length);
    await runStudy({ list, root: ".", threads: 2, store: at("killed") });
    expect(resultsIn(at("killed"))).toEqual(resultsIn(at("calm")));
  });

  test("SIGTERM costs nothing: the task is handed back", async () => {
    const { end, news } = await disturbed(list, at("told"), { signal: "SIGTERM", seed: 2 });
    expect(news.filter((one) => one.end === "died")).toEqual([]);
    expect(end.setAside).toEqual([]);
    expect(resultsIn(at("told"))).toEqual(resultsIn(at("calm")));
  });

  test("SIGTERM again and again, until the process is gone, costs nothing either", async () => {
    const { end, news } = await disturbed(list, at("insisted"), { signal: "SIGTERM", seed: 3, times: 2000 });
    expect(news.filter((one) => one.end === "died")).toEqual([]);
    expect(end.setAside).toEqual([]);
    expect(resultsIn(at("insisted"))).toEqual(resultsIn(at("calm")));
  });
});

test("a stopped run keeps the parts of an unfinished attack, and the next run takes them", async () => {
  const list = await chains(1, { each: 320, steps: 20 });
  const stop = new AbortController();
  const run = runStudy({ list, root: ".", threads: 1, store: at("stopped"), signal: stop.signal });
  const scratch = at("stopped/scratch");
  const parts = () =>
    existsSync(scratch)
      ? readdirSync(scratch, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"))
      : [];
  for (let tries = 0; parts().length === 0 && tries < 600; tries++) await pause(100);
  stop.abort(new Error("Ctrl-C"));
  await expect(run).rejects.toThrow("Ctrl-C");
  expect(parts()).toHaveLength(1);
  await runStudy({ list, root: ".", threads: 1, store: at("stopped") });
  expect(parts()).toEqual([]);
  await runStudy({ list, root: ".", threads: 1, store: at("straight") });
  expect(resultsIn(at("stopped"))).toEqual(resultsIn(at("straight")));
});
