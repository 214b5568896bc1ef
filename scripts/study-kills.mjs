#!/usr/bin/env node
/** @file Kills processes of a study at random moments, starts them again, and compares its results with those of an undisturbed run.
 *  `node scripts/study-kills.mjs --engine bullmq --kills 50 --seed 1`. Needs `npm run build`, Linux, and for bullmq redis-server. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { uniform } from "../dist/core/rng.js";
import { runStudy } from "../dist/node/engines/index.js";
import { openStore } from "../dist/node/store/open.js";
import { publishList } from "../dist/studies/tasks/list.js";
import { smallStudy } from "./study-kills/list.mjs";
import { ownRedis } from "./study-kills/redis.mjs";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "bullmq" },
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: "0" },
    attacks: { type: "string", default: "12" },
    epochs: { type: "string", default: "4" },
  },
});
const [kills, seed, attacks] = [values.kills, values.seed, values.attacks].map(Number);
const PROCESS = fileURLToPath(new URL("study-kills/process.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dynn-kills-"));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const redis = values.engine === "bullmq" ? await ownRedis() : undefined;

/** Random numbers of this run, one after the other. */
let drawn = 0;
const random = () => uniform({ seed, sample: drawn++, purpose: "test", step: 0 }, 1, 0, 1)[0];
const pick = (list) => list[Math.floor(random() * list.length)];

const ENGINES = {
  local: [{ name: "local" }],
  shard: [1, 2].map((index) => ({ name: "shard", index, count: 2 })),
  bullmq: [{ name: "bullmq", redis: redis?.url, checkMs: 500 }],
};

/** A process that is started again whenever it ends before it is done. */
class Kept {
  constructor(role, given) {
    Object.assign(this, { role, given, isOver: false, starts: 0 });
    this.ended = new Promise((resolve) => {
      this.over = resolve;
    });
    this.start();
  }
  start() {
    this.starts++;
    this.child = spawn(process.execPath, [PROCESS, this.role, JSON.stringify(this.given)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.err = "";
    this.child.stderr.on("data", (text) => {
      this.err += text;
    });
    this.child.on("close", (code) => {
      if (code === 0 || this.isOver) return this.over();
      // 3: tasks were set aside, because two random kills met the same task. Another run does them.
      if (code !== null && code !== 3 && !/store\/unreachable|study\/worker/.test(this.err)) throw new Error(this.err);
      return setTimeout(() => this.start(), 100);
    });
  }
  /** The processes that it started. */
  children() {
    try {
      const { pid } = this.child;
      return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  }
  stop() {
    this.isOver = true;
    this.child.kill("SIGTERM");
  }
}

const counts = { coordinator: 0, worker: 0, child: 0, redis: 0 };

/** Kills one of the processes, if it is there. */
async function killOne(kept) {
  const what = pick(redis ? ["coordinator", "worker", "child", "redis"] : ["coordinator", "child"]);
  if (what === "redis") {
    redis.kill();
    counts.redis++;
    await pause(300);
    return redis.start();
  }
  if (what === "child") {
    const pid = pick(kept.flatMap((one) => one.children()));
    if (pid === undefined) return;
    process.kill(pid, "SIGKILL");
  } else pick(kept.filter(({ role }) => role === what)).child.kill("SIGKILL");
  counts[what]++;
}

const done = () => Object.values(counts).reduce((a, b) => a + b, 0);

/** Runs the study whole in a new store, while processes are killed. */
async function disturbed(list, store) {
  const key = await publishList(list, await openStore(store));
  const coordinators = ENGINES[values.engine].map((engine) => new Kept("coordinator", { store, list: key, engine }));
  const workers = redis ? [1, 2].map(() => new Kept("worker", { store, redis: redis.url })) : [];
  let isOver = false;
  const killing = (async () => {
    while (!isOver && done() < kills) {
      // Kills come while tasks run: between a kill and the next task there is little to disturb.
      while (!isOver && [...coordinators, ...workers].every((one) => one.children().length === 0)) await pause(50);
      await pause(100 + 1400 * random());
      if (!isOver && done() < kills) await killOne([...coordinators, ...workers]);
    }
  })();
  await Promise.all(coordinators.map(({ ended }) => ended));
  isOver = true;
  for (const worker of workers) worker.stop();
  await Promise.all([killing, ...workers.map(({ ended }) => ended)]);
}

/** The files of all results, by task, and the bytes behind them. */
function results(store) {
  const tasks = readdirSync(join(store, "tasks"))
    .map((name) => JSON.parse(readFileSync(join(store, "tasks", name), "utf8")))
    .map(({ key, files }) => [key, files])
    .sort();
  const digests = tasks.flatMap(([, files]) => Object.values(files).map(({ sha256 }) => sha256));
  const bytes = digests.map((one) => readFileSync(join(store, "objects", one.slice(0, 2), one)).toString("base64"));
  return JSON.stringify([tasks, bytes]);
}

try {
  const trainings = { folder: join(folder, "archive"), epochs: Number(values.epochs) };
  const list = await smallStudy({
    attacks,
    each: 6,
    steps: 10,
    trainings: trainings.epochs > 0 ? trainings : undefined,
  });
  const calm = join(folder, "calm");
  await runStudy({ list, store: calm, root: process.cwd(), threads: 2 });
  const expected = results(calm);
  let runs = 0;
  while (done() < kills) {
    const store = join(folder, `run-${runs++}`);
    await disturbed(list, store);
    if (results(store) !== expected)
      throw new Error(`run ${runs}: its results differ from those of the undisturbed run`);
  }
  const tasks = list.tasks.length;
  console.log(JSON.stringify({ engine: values.engine, seed, tasks, runs, kills: done(), ...counts, equal: true }));
} finally {
  redis?.kill();
  rmSync(folder, { recursive: true, force: true });
}
