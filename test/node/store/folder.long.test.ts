/** @file The store in a folder: a race of 8 processes, and everything that can be wrong with a folder. Nothing that is done is lost. */
import { execFileSync, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { runStudy } from "../../../src/node/engines/index.js";
import { openStore } from "../../../src/node/store/open.js";
import { keyOf, type Task } from "../../../src/studies/tasks/task.js";
import { manyTasks, resultsIn } from "../engines/support.js";

const folder = mkdtempSync(join(tmpdir(), "dynn-store-"));
const at = (name: string) => join(folder, name);
const mounts: string[] = [];
afterAll(() => {
  for (const mount of mounts) execFileSync("umount", [mount]);
  rmSync(folder, { recursive: true, force: true });
});

/** A small file system in memory, with these options. */
function mounted(name: string, options: string): string {
  mkdirSync(at(name));
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", at(name)], { stdio: "ignore" });
  mounts.push(at(name));
  return at(name);
}

/** Why a test that mounts is skipped, or undefined. */
const NO_MOUNT = (() => {
  try {
    mounted("probe", "size=64k");
    return undefined;
  } catch {
    return "this user may not mount a file system";
  }
})();

const task = (number: number): Task => ({ kind: "fake", version: 1, parameters: { number }, inputs: {} });
const text = (given: string) => ({ files: { "a.txt": new TextEncoder().encode(given) } });

const ROUNDS = 20;

/** A process of the race. It is ready when its modules are loaded. */
async function racer(number: number) {
  const hooks = fileURLToPath(new URL("../../fuzz/typescript.mjs", import.meta.url));
  const file = fileURLToPath(new URL("./racer.ts", import.meta.url));
  const child = fork(file, [at("race"), String(number)], { execArgv: ["--import", hooks] });
  const next = () =>
    new Promise<string>((resolve, reject) => {
      child.once("message", (message: string) => resolve(message));
      child.once("exit", (code) => reject(new Error(`racer ${number} ended with ${code}`)));
    });
  await next();
  return {
    race: (round: number): Promise<string> => {
      const told = next();
      child.send(round);
      return told;
    },
    stop: () => child.disconnect(),
  };
}

test("of 8 processes that race for a key one wins, and everyone reads its bytes", async () => {
  const racers = await Promise.all(Array.from({ length: 8 }, (_, i) => racer(i)));
  const winners = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    // Another process hears of each round first, so that no process wins by its place alone.
    const told = await Promise.all(racers.map((_, i) => racers[(round + i) % racers.length].race(round)));
    expect(new Set(told).size).toBe(1);
    const [, winner] = /^\S+ (\d) process \1 100000$/.exec(told[0]) ?? [];
    expect(winner).toBeDefined();
    winners.add(winner);
  }
  for (const { stop } of racers) stop();
  expect(winners.size).toBeGreaterThan(1);
  expect(readdirSync(at("race")).sort()).toEqual(["dynn-store.json", "objects", "tasks"]);
}, 120_000);

describe("a folder with", () => {
  test("a torn file says which one, and what to do; the task is then done again", async () => {
    const store = await openStore(at("torn"));
    const key = keyOf(task(1));
    const manifest = await store.publish(key, task(1), text("whole bytes"));
    const digest = manifest.files["a.txt"]?.sha256 ?? "";
    const object = join(at("torn"), "objects", digest.slice(0, 2), digest);
    truncateSync(object, 5);
    const reading = store.file(manifest, "a.txt");
    await expect(reading).rejects.toThrow(`${object}: has 5 bytes of other content. Remove this file and the manifest`);
    rmSync(object);
    await expect(store.file(manifest, "a.txt")).rejects.toThrow(/is missing\. Remove this file.*\[store\/damaged\]/);
    rmSync(join(at("torn"), "tasks", `${key}.json`));
    const again = await store.publish(key, task(1), text("whole bytes"));
    expect(new TextDecoder().decode(await store.file(again, "a.txt"))).toBe("whole bytes");
  });

  test("a torn manifest is named", async () => {
    const store = await openStore(at("half"));
    const key = keyOf(task(1));
    await store.publish(key, task(1), text("bytes"));
    truncateSync(join(at("half"), "tasks", `${key}.json`), 20);
    await expect(store.manifest(key)).rejects.toThrow(
      /tasks\/[0-9a-f]{64}\.json: is not a manifest\. Remove this file/,
    );
  });

  test("another version of dynn is refused, and stays as it is", async () => {
    await openStore(at("old"));
    const about = join(at("old"), "dynn-store.json");
    const old = readFileSync(about, "utf8").replace(/"version":"[^"]*"/, '"version":"0.0.9"');
    writeFileSync(about, old);
    const list = await manyTasks(1);
    await expect(runStudy({ list, root: ".", store: at("old") })).rejects.toThrow(
      /dynn-store\.json: dynn 0\.0\.9 made this store, and this is dynn .* Results of two versions do not mix.*\[study\/version\]/,
    );
    expect(readFileSync(about, "utf8")).toBe(old);
  });

  test("something else in it is refused", async () => {
    mkdirSync(at("other"));
    writeFileSync(join(at("other"), "dynn-store.json"), "not JSON");
    await expect(openStore(at("other"))).rejects.toThrow(/dynn-store\.json: does not describe a store/);
  });
});

describe.skipIf(NO_MOUNT)("a file system", () => {
  test("that is full ends the run with one message, and the next run goes on", async () => {
    const store = mounted("full", "size=48k");
    const list = await manyTasks(20);
    const run = () => runStudy({ list, root: ".", threads: 1, store });
    await expect(run()).rejects.toThrow(
      /the disk is too full for \d+ bytes .*Free some space and run the study again.*\[file\/full\]/,
    );
    const before = resultsIn(store);
    execFileSync("mount", ["-o", "remount,size=8m", store]);
    expect((await run()).done.size).toBe(20);
    expect(resultsIn(store)).toMatchObject(before);
  }, 120_000);

  test("that is read-only is refused at once", async () => {
    const store = mounted("read-only", "size=1m");
    await openStore(store);
    execFileSync("mount", ["-o", "remount,ro", store]);
    const list = await manyTasks(1);
    await expect(runStudy({ list, root: ".", store })).rejects.toThrow(
      /cannot be written \(EROFS.*Choose a store that you may write to\. \[file\/unwritable\]/,
    );
  });
});

test.skipIf(!NO_MOUNT)(`full and read-only file systems are not tested: ${NO_MOUNT}`, () => undefined);
