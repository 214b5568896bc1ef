/** @file A process of the race for one key: waits for the start, publishes bytes of its own, and prints what it reads. */
import { openStore } from "../../../src/node/store/open.js";
import { keyOf } from "../../../src/studies/tasks/task.js";

const [folder = "", number = "", start = ""] = process.argv.slice(2);
const store = await openStore(folder);
const task = { kind: "race", version: 1, parameters: {}, inputs: {} };
const bytes = new TextEncoder().encode(`process ${number} `.repeat(50_000));
process.send?.("ready");
await new Promise((resolve) => setTimeout(resolve, Number(start) - Date.now()));
const manifest = await store.publish(keyOf(task), task, { files: { "a.txt": bytes }, facts: { number } });
const read = new TextDecoder().decode(await store.file(manifest, "a.txt"));
process.send?.({ id: store.id, winner: manifest.facts.number, read: read.slice(0, 10), length: read.length });
process.disconnect();
