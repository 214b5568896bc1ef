/** @file A process of the race for keys. At each word from its parent, it publishes its own bytes
 *  under the next key, and tells what it reads. */
import { openStore } from "../../../src/node/store/open.js";
import { keyOf } from "../../../src/studies/tasks/task.js";

const [folder = "", number = ""] = process.argv.slice(2);
const bytes = new TextEncoder().encode(`process ${number} `.repeat(10_000));
const opened = openStore(folder);

async function race(round: number): Promise<string> {
  const store = await opened;
  const task = { kind: "race", version: 1, parameters: { round }, inputs: {} };
  const manifest = await store.publish(keyOf(task), task, { files: { "a.txt": bytes }, facts: { number } });
  const read = new TextDecoder().decode(await store.file(manifest, "a.txt"));
  return `${store.id} ${manifest.facts.number} ${read.slice(0, 9)} ${read.length}`;
}

process.on("message", async (round: number) => process.send?.(await race(round)));
process.send?.("ready");
