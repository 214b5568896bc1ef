/** @file The memory of a process that conducts 10,000 tasks: `node memory.mjs STORE ENGINE_AS_JSON`. It stops after some seconds of
 *  work, because the list and the schedule are there from the start. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { runStudy } from "../../dist/node/engines/index.js";
import { shortTasks } from "./list.mjs";

const [store, engine] = process.argv.slice(2);
const kept = `${store}.list.json`;
// The list is made in a process of its own, so that the memory for making it does not count.
if (!existsSync(kept)) {
  const { execFileSync } = await import("node:child_process");
  if (process.argv[4] === "make") {
    writeFileSync(kept, JSON.stringify(await shortTasks(10_000)));
    process.exit(0);
  }
  execFileSync(process.execPath, [process.argv[1], store, engine, "make"], { stdio: "inherit" });
}
const list = JSON.parse(readFileSync(kept, "utf8"));
const stop = new AbortController();
let ended = 0;
const count = () => {
  ended++;
  if (ended === 20) stop.abort(new Error("enough"));
};
const run = runStudy({
  ...{ list, store, root: process.cwd(), threads: 1, engine: JSON.parse(engine), signal: stop.signal, onTask: count },
  onProgress: () => undefined,
});
// No worker takes tasks from the queue, so that only this process works.
if (JSON.parse(engine).name === "bullmq") setTimeout(() => stop.abort(new Error("enough")), 10_000);
await run.catch((error) => {
  if (error.message !== "enough") throw error;
});
const { maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ tasks: list.tasks.length, ended, megabytes: maxRSS / 1000 }));
process.exit(0);
