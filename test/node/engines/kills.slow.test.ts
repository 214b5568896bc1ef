/** @file Processes of a study are killed at random moments: coordinator, worker, sandbox child and Redis. The results are byte-equal to
 *  those of an undisturbed run. `scripts/study-kills.mjs` does the work, on the build; it takes any number of kills. */
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { NO_REDIS } from "./redis.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const isLinux = process.platform === "linux";

async function killed(engine: string, kills: number, seed: number) {
  const options = ["--engine", engine, "--kills", String(kills), "--seed", String(seed), "--attacks", "6"];
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "scripts/study-kills.mjs"), ...options], {
    cwd: ROOT,
  });
  return JSON.parse(stdout);
}

test.skipIf(!isLinux).each([
  ["local", 3, 1],
  ["shard", 3, 2],
])(
  "engine %s, %i kills",
  async (engine, kills, seed) => {
    expect(await killed(engine, kills, seed)).toMatchObject({ kills, equal: true });
  },
  400_000,
);

test.skipIf(!isLinux || NO_REDIS)(
  "engine bullmq, 6 kills, of Redis too",
  async () => {
    expect(await killed("bullmq", 6, 3)).toMatchObject({ kills: 6, equal: true });
  },
  600_000,
);
