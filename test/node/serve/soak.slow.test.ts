/** @file A good client beside rude ones, each in a process of its own. How late its answers are is measured by bench/serve-soak.mjs, which runs here
 *  for a short while; what must hold on any machine is asserted. Needs `npm run build`. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");

/** Resident memory moves by the garbage of the moment and by ONNX Runtime's arenas. What a server kept of some 150 visits, with up to 100
 *  requests each, would be more. */
const MOST_GROWTH = 192 * 2 ** 20;

interface Soaked {
  readonly answered: number;
  readonly lost: readonly number[];
  readonly rudeVisits: number;
  readonly health: number;
  readonly places: number;
  readonly taken: number;
  readonly inFlight: number;
  readonly resident: { readonly before: number; readonly after: number };
  readonly exitCode: number | null;
}

test("loses no good request, gives every place back and ends with 0", async () => {
  const args = [join(ROOT, "bench/serve-soak.mjs"), "--seconds", "6", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((failed: { stdout: string }) => failed);
  const soaked = JSON.parse(stdout) as Soaked;
  expect(soaked).toMatchObject({ lost: [], health: 200, taken: soaked.places, inFlight: 1, exitCode: 0 });
  expect(soaked.answered).toBeGreaterThan(0);
  expect(soaked.rudeVisits).toBeGreaterThan(20);
  expect(soaked.resident.after - soaked.resident.before).toBeLessThan(MOST_GROWTH);
}, 300_000);
