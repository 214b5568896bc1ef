/** @file Free memory inside a container, with folders that look like those of Linux. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { freeMemory } from "../../src/node/memory.js";

const MIB = 2 ** 20;
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function cgroup(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "dynn-cgroup-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Free MiB of a machine with 8000 MiB, of which 6000 are free. This process takes 200. */
const free = (files: Readonly<Record<string, string>>, limit: number): number =>
  freeMemory({
    cgroup: cgroup(files),
    limit: () => limit * MIB,
    free: () => 6000 * MIB,
    total: () => 8000 * MIB,
    own: () => 200 * MIB,
  }) / MIB;

const version2 = {
  "memory.current": `${700 * MIB}\n`,
  "memory.stat": `anon ${500 * MIB}\nactive_file 4096\ninactive_file ${100 * MIB}\nworkingset_refault_file 7\n`,
};
const version1 = {
  "memory/memory.usage_in_bytes": `${700 * MIB}\n`,
  "memory/memory.stat": `cache 1\ntotal_cache 2\ntotal_inactive_file ${100 * MIB}\n`,
};

describe("free memory", () => {
  test.each([
    ["in a container of version 2", version2],
    ["in a container of version 1", version1],
  ])("%s is its limit without what is in use, except pages that can be dropped", (_, files) => {
    expect(free(files, 1000)).toBe(400);
  });

  test("is what the machine has free where this is less", () => expect(free(version2, 7900)).toBe(6000));
  test("is never negative", () => expect(free(version2, 500)).toBe(0));
  test("counts this process alone where the system does not tell", () => expect(free({}, 1000)).toBe(800));
  test("counts all pages where their kinds are not told", () =>
    expect(free({ "memory.current": `${700 * MIB}` }, 1000)).toBe(300));

  test.each([0, 8000, 2 ** 40])("is that of the machine with the limit %s, which is none", (limit) => {
    expect(free(version2, limit)).toBe(6000);
  });

  test("of this machine is a number of bytes", () => {
    expect(freeMemory()).toBeGreaterThan(0);
    expect(freeMemory()).toBeLessThan(totalmem());
  });
});
