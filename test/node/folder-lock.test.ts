/** @file Locks of folders: a lock that another process has made since stays when ours is released. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { LOCK, lockFolder } from "../../src/node/folder-lock.js";

const folder = mkdtempSync(join(tmpdir(), "dynn-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a lock is gone when it is released, and the folder is free", () => {
  const lock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(/has worked in it since/);
  lock.release();
  lockFolder(folder).release();
});

test("a release leaves the lock of a folder that was removed and made anew", () => {
  const place = join(folder, "again");
  mkdirSync(place);
  const lock = lockFolder(place);
  const other = readFileSync(join(place, LOCK), "utf8").replace(
    /"since":"[^"]*"/,
    '"since":"2030-01-01T00:00:00.000Z"',
  );
  rmSync(place, { recursive: true });
  mkdirSync(place);
  writeFileSync(join(place, LOCK), other);
  lock.release();
  expect(readFileSync(join(place, LOCK), "utf8")).toBe(other);
});
