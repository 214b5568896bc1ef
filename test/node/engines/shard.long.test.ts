/** @file Shards of a study over one folder: shares, claims, and claims of processes that are gone. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Claims } from "../../../src/node/engines/claims.js";
import { runStudy } from "../../../src/node/engines/index.js";
import { isIn } from "../../../src/node/engines/shard.js";
import { hostKey } from "../../../src/node/processes.js";
import type { TaskNews } from "../../../src/studies/tasks/conduct.js";
import { graphOf } from "../../../src/studies/tasks/list.js";
import { manyTasks, resultsIn, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const key = "a".repeat(64);

/** A claim of another process, as a file. */
function claimOf(store: string, owner: object): string {
  mkdirSync(join(store, "claims"), { recursive: true });
  const path = join(store, "claims", `${key}.json`);
  writeFileSync(path, JSON.stringify(owner));
  return path;
}

describe("claims", () => {
  test("one of two gets a task, the other one when it is given back", async () => {
    const [one, two] = [await Claims.open(at("two")), await Claims.open(at("two"))];
    expect((await Promise.all([one.take(key), two.take(key)])).sort()).toEqual(["held", "taken"]);
    await Promise.all([one.close(), two.close()]);
    expect(await two.take(key)).toBe("taken");
    await two.close();
    expect(readdirSync(at("two/claims"))).toEqual([]);
  });

  test("of a process that has ended counts for nothing, and costs the task a worker", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const claims = await Claims.open(at("ended"));
    for (const expected of ["taken", "deadly"]) {
      claimOf(at("ended"), { id: "x", host: hostKey(), pid });
      expect(await claims.take(key)).toBe(expected);
      await claims.release(key, false);
    }
    await pause(20);
    const later = await Claims.open(at("ended"));
    expect(await later.take(key)).toBe("taken");
    await Promise.all([claims.close(), later.close()]);
  });

  test("of another machine counts while it shows signs of life", async () => {
    const path = claimOf(at("far"), { id: "x", host: "00000000", pid: process.pid });
    const claims = await Claims.open(at("far"), { beatMs: 1000, staleMs: 150 });
    for (let i = 0; i < 5; i++) {
      utimesSync(path, new Date(), new Date());
      expect(await claims.take(key)).toBe("held");
      await pause(100);
    }
    await pause(200);
    expect(await claims.take(key)).toBe("taken");
    await claims.close();
  });

  test("of one process show signs of life", async () => {
    const [one, far] = [await Claims.open(at("beat"), { beatMs: 20, staleMs: 1 }), at("beat/claims")];
    await one.take(key);
    const path = join(far, `${key}.json`);
    utimesSync(path, new Date(0), new Date(0));
    await pause(100);
    const { statSync } = await import("node:fs");
    expect(statSync(path).mtimeMs).toBeGreaterThan(Date.now() - 5000);
    await one.close();
  });
});

test("every task is in one share", () => {
  const keys = Array.from({ length: 300 }, (_, i) => (i * 7_919_993).toString(16).padStart(12, "0"));
  const shares = [1, 2, 3].map((index) => keys.filter((one) => isIn(one, { index, count: 3 })));
  expect(shares.flat().sort()).toEqual([...keys].sort());
  expect(Math.min(...shares.map(({ length }) => length))).toBeGreaterThan(50);
});

describe("two shards", () => {
  test("do every task once, and both end when all is done", async () => {
    const list = await manyTasks(30);
    const news: TaskNews[] = [];
    const run = (index: number) =>
      runStudy({
        ...{ list, root: ".", threads: 1, store: at("shards"), pollMs: 200 },
        engine: { name: "shard", index, count: 2 },
        onTask: (one) => one.end === "done" && news.push(one),
      });
    const ends = await Promise.all([run(1), run(2)]);
    for (const { done, setAside } of ends) expect([done.size, setAside.length]).toEqual([30, 0]);
    expect(news.map(({ key: one }) => one).sort()).toEqual(
      graphOf(list)
        .all()
        .map(({ key: one }) => one)
        .sort(),
    );
    expect(Object.keys(resultsIn(at("shards")))).toHaveLength(31);
    expect(existsSync(at("shards/claims")) ? readdirSync(at("shards/claims")) : []).toEqual([]);
  });

  test("one alone does the share of the other, too", async () => {
    const list = await manyTasks(6);
    const engine = { name: "shard", index: 2, count: 2 } as const;
    const { done } = await runStudy({ list, root: ".", threads: 1, store: at("alone"), pollMs: 200, engine });
    expect(done.size).toBe(6);
  });
});
