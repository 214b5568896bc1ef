/** @file One process of a disturbed study: `node process.mjs ROLE JSON`, where the role is coordinator or worker. */
import { joinStudy } from "../../dist/node/engines/index.js";
import { runWorker } from "../../dist/node/engines/queue/worker.js";

const [role, json] = process.argv.slice(2);
const { store, list, engine, redis } = JSON.parse(json);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort(new Error("SIGTERM")));
const place = { store, root: process.cwd(), signal: stop.signal };

/** One line per task, for those who count. */
const say = (key, end) => process.stdout.write(`${key} ${end}\n`);

if (role === "worker") {
  // A lost worker is noticed soon here, so that the check does not take hours.
  const times = { lockMs: 3000, stalledMs: 1000 };
  await runWorker({ ...place, redis, threads: 1, times, onTask: ({ key }, { end }) => say(key, end) });
} else {
  const onTask = ({ key, end }) => say(key, end);
  const { setAside } = await joinStudy({ ...place, list, engine, threads: 2, pollMs: 300, onTask });
  for (const { key, reason } of setAside) process.stderr.write(`${key}: ${reason}\n`);
  process.exitCode = setAside.length > 0 ? 3 : 0;
}
