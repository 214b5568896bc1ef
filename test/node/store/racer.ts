/** @file A process of the race for keys: at a word from its parent it publishes bytes of its own under each key, and tells what it reads. */
import { openStore } from "../../../src/node/store/open.js";
import { keyOf } from "../../../src/studies/tasks/task.js";

const [folder = "", number = "", rounds = ""] = process.argv.slice(2);
const bytes = new TextEncoder().encode(`process ${number} `.repeat(10_000));

async function race(): Promise<string[]> {
  const store = await openStore(folder);
  const told = [store.id];
  for (let round = 0; round < Number(rounds); round++) {
    const task = { kind: "race", version: 1, parameters: { round }, inputs: {} };
    const manifest = await store.publish(keyOf(task), task, { files: { "a.txt": bytes }, facts: { number } });
    const read = new TextDecoder().decode(await store.file(manifest, "a.txt"));
    told.push(`${manifest.facts.number} ${read.slice(0, 9)} ${read.length}`);
  }
  return told;
}

process.once("message", async () => {
  const told = await race();
  process.send?.({ told });
  process.disconnect();
});
process.send?.("ready");
