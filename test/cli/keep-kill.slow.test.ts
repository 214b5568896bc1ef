/** @file An audit that is killed within an attack goes on there, and ends with the same bytes. It runs what
 *  `npm run build` made. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./support.js";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");
const folder = temporaryFolder();
const ARGS = ["--samples", "16", "--attacks", "apgd-dlr", "--eps", "1/255", "--radii", "0", "--threads", "1"];

/** A clock that runs 20 times as fast. An audit keeps a part every 2 seconds, and a fast machine
 *  ends before that. */
const CLOCK = "const now = performance.now.bind(performance); performance.now = () => 20 * now();";
const FAST_CLOCK = ["--import", `data:text/javascript,${encodeURIComponent(CLOCK)}`];

/** Runs the audit, and kills it when a part of the attack lies in the folder, or lets it end. */
function run(keep: string, kill: boolean): Promise<number | null> {
  const argv = [...FAST_CLOCK, MAIN, "audit", "zoo:resnet20-joint", ...ARGS, "--keep", keep, "--batch", "2"];
  const child = spawn(process.execPath, argv, { stdio: "ignore" });
  const watch = setInterval(() => {
    if (kill && parts(keep) > killed) child.kill("SIGKILL");
  }, 20);
  return new Promise((resolve) =>
    child.on("close", (code) => {
      clearInterval(watch);
      resolve(code);
    }),
  );
}

let killed = 0;
const parts = (keep: string): number => {
  try {
    return readdirSync(keep).filter((name) => /part-\d+\.json$/.test(name)).length;
  } catch {
    return 0;
  }
};

test("an audit that is killed with SIGKILL within an attack ends with the same bytes", async () => {
  const [whole, cut] = [join(folder, "whole"), join(folder, "cut")];
  expect(await run(whole, false)).toBe(0);
  for (; killed < 2; killed++) {
    const code = await run(cut, true);
    // The run ended before the kill: the machine is too fast for this many samples.
    if (code === 0) break;
  }
  expect(killed).toBeGreaterThan(0);
  expect(await run(cut, false)).toBe(0);
  const images = "apgd-dlr.npy";
  expect(readFileSync(join(cut, images)).equals(readFileSync(join(whole, images)))).toBe(true);
  const facts = (at: string) => ({ ...JSON.parse(readFileSync(join(at, "apgd-dlr.json"), "utf8")), seconds: 0 });
  expect(facts(cut)).toEqual(facts(whole));
  expect(readdirSync(cut).sort()).toEqual([...["apgd-dlr.json", images, "indices.npy", "labels.npy", "manifest.json"]]);
  rmSync(folder, { recursive: true });
}, 240_000);
