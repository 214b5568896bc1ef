// How much faster are two workers on two cores than one worker on one core? Many attacks at one thread each, in one run, turn by turn.
// "On one core" holds for the worker, its coordinator and Redis: taskset (Linux) keeps them there. A third figure lets one worker use both.
// And how many milliseconds does a task cost beyond its own work? Short tasks, one after the other, in child processes.
// Usage: node bench/study.mjs [--tasks N] [--records N] [--rounds N] [--engine local|bullmq] [--record]    bullmq needs redis-server
import { execFileSync, spawn } from "node:child_process";

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runStudy } from "../dist/node/engines/index.js";
import { shortTasks, smallStudy } from "../scripts/study-kills/list.mjs";
import { ownRedis } from "../scripts/study-kills/redis.mjs";
import { environment, report, root } from "./record.mjs";

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "16" },
    records: { type: "string", default: "64" },
    rounds: { type: "string", default: "3" },
    engine: { type: "string", default: "bullmq" },
    record: { type: "boolean", default: false },
  },
});
/** Counted once: a process that is kept on one core counts one. */
const CORES = availableParallelism();
const folder = mkdtempSync(join(tmpdir(), "dynn-bench-"));
const list = await smallStudy({ attacks: Number(values.tasks), each: Number(values.records), steps: 10 });
const redis = values.engine === "bullmq" ? await ownRedis() : undefined;

const startWorker = (store) =>
  spawn(
    process.execPath,
    [join(root, "scripts/study-kills/process.mjs"), "worker", JSON.stringify({ store, redis: redis.url })],
    {
      stdio: "ignore",
    },
  );

/** Keeps this process, the processes that it starts from now on, and Redis on so many cores. */
function useCores(cores) {
  for (const pid of [process.pid, redis?.pid()].filter((id) => id !== undefined))
    execFileSync("taskset", ["-a", "-p", "-c", `0-${cores - 1}`, `${pid}`], { stdio: "ignore" });
}

let stores = 0;
/** Attacks per second with so many workers, from the first attack that is done to the last one. */
async function throughput(workers, cores = CORES) {
  useCores(cores);
  const store = join(folder, `store-${stores++}`);
  const ends = [];
  const onTask = ({ task, end }) => task.kind === "craft" && end === "done" && ends.push(performance.now());
  const engine = redis ? { name: "bullmq", redis: redis.url } : { name: "local" };
  const run = runStudy({ list, store, root, threads: workers, engine, onTask });
  const processes = redis ? Array.from({ length: workers }, () => startWorker(store)) : [];
  await run;
  const left = processes.map((child) => new Promise((resolve) => child.on("close", resolve)));
  for (const child of processes) child.kill("SIGTERM");
  await Promise.all(left);
  // The first ends belong to the start: every worker opens the network once.
  const [from, to] = [ends[workers], ends.at(-1)];
  return (ends.length - 1 - workers) / ((to - from) / 1000);
}

/** Median milliseconds between the ends of two tasks, without the seconds of work that the later one states. */
async function overhead() {
  const ends = [];
  const onTask = ({ seconds = 0 }) => ends.push({ at: performance.now(), seconds });
  const store = join(folder, "overhead");
  await runStudy({ list: await shortTasks(120), root, threads: 1, store, onTask });
  const beyond = ends.slice(1).map((end, i) => end.at - ends[i].at - 1000 * end.seconds);
  return beyond.sort((a, b) => a - b)[beyond.length >> 1];
}

const lines = [];
const ratios = [];
try {
  lines.push(`a task costs ${(await overhead()).toFixed(1)} ms beyond its own work (median of 119, bar 50)`);
  for (let round = 1; round <= Number(values.rounds); round++) {
    const [one, free, two] = [await throughput(1, 1), await throughput(1), await throughput(2)];
    ratios.push(two / one);
    const rates = [one, free, two].map((rate) => rate.toFixed(2));
    lines.push(
      `round ${round}: one worker on one core ${rates[0]}, one worker on all ${rates[1]}, two workers ${rates[2]} attacks/s; ` +
        `ratio to one core ${(two / one).toFixed(2)}, to one worker on all ${(two / free).toFixed(2)}`,
    );
  }
} finally {
  redis?.kill();
  rmSync(folder, { recursive: true, force: true });
}
const median = [...ratios].sort((a, b) => a - b)[Math.floor(ratios.length / 2)];
report(`study-${values.engine}`, [
  environment(),
  `engine ${values.engine}: ${values.tasks} PGD attacks of 10 steps on ${values.records} records, one thread each, with the answers to their images`,
  ...lines,
  `median ratio to one core ${median.toFixed(2)}`,
]);
