/** @file Trainings as tasks of a study: killed, told to stop, shared, and one at a time beside attacks. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { uniform } from "../../../src/core/rng.js";
import { runStudy } from "../../../src/node/engines/index.js";
import { localEngine } from "../../../src/node/engines/local.js";
import { TaskPool } from "../../../src/node/engines/pool.js";
import { runWorker } from "../../../src/node/engines/queue/worker.js";
import { scratchOf, TaskWork } from "../../../src/node/engines/work.js";
import { LOCK } from "../../../src/node/folder-lock.js";
import { openStore } from "../../../src/node/store/open.js";
import { checkedStudyFile, planStudy } from "../../../src/node/studies/plan.js";
import { compileStudy, taskListOf } from "../../../src/studies/study/compile.js";
import { conduct, type StudyEnd, type StudyProgress, type TaskNews } from "../../../src/studies/tasks/conduct.js";
import { graphOf, publishList, type TaskList } from "../../../src/studies/tasks/list.js";
import { tinyStudy, writeTinyArchive } from "../../support/tiny-training.js";
import { NO_REDIS, TestRedis } from "./redis.js";
import { resultsIn, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function studyList(epochs: number): Promise<TaskList> {
  const file = checkedStudyFile({ ...tinyStudy("data", epochs), train: true }, "test");
  return taskListOf(compileStudy(await planStudy(file, { tier: null, root: folder })));
}

/** The trainings of a list alone. */
const onlyTrainings = (list: TaskList): TaskList => ({
  ...list,
  tasks: list.tasks.filter(({ kind }) => kind === "train"),
});

/** The files of this name in the scratch of a store. A training may end meanwhile, and take its folder away. */
function inScratch(store: string, name: string): string[] {
  try {
    const all = readdirSync(join(store, "scratch"), { recursive: true, encoding: "utf8" });
    return all.filter((path) => path.endsWith(name)).map((path) => join(store, "scratch", path));
  } catch {
    return [];
  }
}

/** The lines of a file. A training may end meanwhile, and take it away. */
const linesOf = (path: string): string[] => {
  try {
    return readFileSync(path, "utf8").trim().split("\n");
  } catch {
    return [];
  }
};

/** The epochs that unfinished trainings have reached, with their times. */
const epochsIn = (store: string): string[] => inScratch(store, "metrics.jsonl").flatMap(linesOf);

interface Disturbed {
  readonly end: StudyEnd;
  readonly news: readonly TaskNews[];
}

/** Runs a list, and sends a signal to a child when `now` says so. */
async function disturbed(
  list: TaskList,
  store: string,
  signal: NodeJS.Signals,
  now: () => boolean,
): Promise<Disturbed> {
  const opened = await openStore(store);
  const key = await publishList(list, opened);
  const pool = new TaskPool({ store, root: folder }, 2);
  const news: TaskNews[] = [];
  let sent = false;
  const timer = setInterval(() => {
    const [pid] = pool.pids;
    if (sent || pid === undefined || !now()) return;
    sent = true;
    process.kill(pid, signal);
  }, 5);
  try {
    return { end: await conduct(graphOf(list), opened, localEngine(key, pool), { onTask: (n) => news.push(n) }), news };
  } finally {
    clearInterval(timer);
    pool.close();
  }
}

let list: TaskList;
let trainings: TaskList;
beforeAll(async () => {
  writeTinyArchive(at("data"), 100);
  list = await studyList(3);
  trainings = onlyTrainings(await studyList(6));
  await runStudy({ list: trainings, root: folder, threads: 2, store: at("calm") });
}, 240_000);

describe("a training", () => {
  test("that is killed goes on from its checkpoint, and ends with the same bytes", async () => {
    let before: string[] = [];
    const { end, news } = await disturbed(trainings, at("killed"), "SIGKILL", () => {
      before = epochsIn(at("killed"));
      return before.length >= 3;
    });
    expect(news.map((one) => one.end).sort()).toEqual(["died", "done", "done", "done"]);
    expect(end.setAside).toEqual([]);
    expect(inScratch(at("killed"), ".safetensors")).toEqual([]);
    expect(resultsIn(at("killed"))).toEqual(resultsIn(at("calm")));
  }, 120_000);

  test("holds its scratch until it is published, and a second process that does it is no failure", async () => {
    const store = at("twice");
    const opened = await openStore(store);
    const list = onlyTrainings(await studyList(1));
    const order = { list: await publishList(list, opened), key: graphOf(list).all()[0].key, threads: 1 };
    const [first, second] = [
      await TaskWork.open({ store, root: folder }),
      await TaskWork.open({ store, root: folder }),
    ];
    const held: boolean[] = [];
    const lock = join(scratchOf(opened, order.key), LOCK);
    const signal = new AbortController().signal;
    const onProgress = () => void held.push(existsSync(lock));
    const manifests = await Promise.all([
      first.run(order, { signal, onProgress }),
      second.run(order, { signal, onProgress: undefined }),
    ]);
    expect(held.length).toBeGreaterThan(1);
    expect(held).not.toContain(false);
    expect(manifests[1].files).toEqual(manifests[0].files);
    expect(existsSync(scratchOf(opened, order.key))).toBe(false);
  });

  test("does not train epochs again that a checkpoint has", async () => {
    const store = at("epochs");
    const stop = new AbortController();
    const run = runStudy({ list: trainings, root: folder, threads: 1, store, signal: stop.signal });
    while (epochsIn(store).length < 3) await pause(5);
    stop.abort(new Error("Ctrl-C"));
    await expect(run).rejects.toThrow("Ctrl-C");
    const [path = ""] = inScratch(store, "metrics.jsonl").slice(-1);
    const before = linesOf(path);
    expect(before.length).toBeGreaterThan(0);
    let after: string[] = [];
    await disturbed(trainings, store, "SIGCONT", () => {
      const now = linesOf(path);
      if (now.length > before.length && after.length === 0) after = now;
      return false;
    });
    // Each epoch has its own time, so an epoch that is trained again would differ.
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.length).toBeGreaterThan(before.length);
    expect(resultsIn(store)).toEqual(resultsIn(at("calm")));
  }, 120_000);

  test("that is told to stop hands its task back with the last step", async () => {
    const { news, end } = await disturbed(trainings, at("told"), "SIGTERM", () => epochsIn(at("told")).length >= 2);
    // A child that is about to end can be given the task once more. It hands that back too.
    expect(new Set(news.map((one) => one.end))).toEqual(new Set(["stopped", "done"]));
    expect(end.setAside).toEqual([]);
    expect(resultsIn(at("told"))).toEqual(resultsIn(at("calm")));
  }, 120_000);

  test("that is killed at 12 random moments ends with the same bytes", async () => {
    const waits = uniform({ seed: 4, sample: 0, purpose: "test", step: 0 }, 12, 0, 900);
    let killed = 0;
    for (const wait of waits) {
      let from = 0;
      const { news } = await disturbed(trainings, at("random"), "SIGKILL", () => {
        from ||= performance.now();
        return performance.now() - from > wait;
      });
      killed += news.filter((one) => one.end === "died").length;
      if (news.some((one) => one.end === "done" && one.done === one.total)) break;
    }
    expect(killed).toBeGreaterThan(0);
    await runStudy({ list: trainings, root: folder, threads: 2, store: at("random") });
    expect(resultsIn(at("random"))).toEqual(resultsIn(at("calm")));
  }, 240_000);
});

test("one training runs at a time, beside attacks on networks that are trained", async () => {
  const kinds = new Map(
    graphOf(list)
      .all()
      .map(({ key, task }) => [key, task.kind]),
  );
  const seen: string[][] = [];
  const onProgress = ({ running }: StudyProgress) => seen.push([...running.keys()].map((key) => kinds.get(key) ?? ""));
  await runStudy({ list, root: folder, threads: 3, store: at("beside"), onProgress });
  const together = (count: (running: string[]) => boolean): number => seen.filter(count).length;
  expect(together((running) => running.filter((kind) => kind === "train").length > 1)).toBe(0);
  expect(together((running) => running.includes("train") && running.length > 1)).toBeGreaterThan(0);
});

test("two shards train each network once", async () => {
  const news: TaskNews[] = [];
  const shard = (index: number) =>
    runStudy({
      ...{ list: trainings, root: folder, threads: 1, store: at("shards"), pollMs: 50 },
      engine: { name: "shard", index, count: 2 },
      onTask: (one) => news.push(one),
    });
  await Promise.all([shard(1), shard(2)]);
  const done = news.filter((one) => one.end === "done").map(({ key }) => key);
  expect(done.sort()).toEqual(
    graphOf(trainings)
      .all()
      .map(({ key }) => key)
      .sort(),
  );
  expect(resultsIn(at("shards"))).toEqual(resultsIn(at("calm")));
}, 120_000);

test.skipIf(NO_REDIS)(
  "two workers on one Redis do each task once, trainings too",
  async () => {
    const redis = await TestRedis.start();
    const stop = new AbortController();
    const store = at("queue");
    const ended: [worker: number, key: string, end: string][] = [];
    const workers = [0, 1].map((worker) =>
      runWorker({
        ...{ redis: redis.url, store, root: folder, threads: 2, signal: stop.signal },
        onTask: ({ key }, { end }) => ended.push([worker, key, end]),
      }),
    );
    const engine = { name: "bullmq", redis: redis.url } as const;
    const { done, setAside } = await runStudy({ list, root: folder, store, engine, pollMs: 300 });
    stop.abort();
    await Promise.all(workers);
    expect([done.size, setAside]).toEqual([list.tasks.length, []]);
    const keys = ended.filter(([, , end]) => end === "done").map(([, key]) => key);
    expect([keys.length, new Set(keys).size]).toEqual([list.tasks.length, list.tasks.length]);
    await runStudy({ list, root: folder, store: at("alone"), threads: 2 });
    expect(resultsIn(store)).toEqual(resultsIn(at("alone")));
  },
  240_000,
);
