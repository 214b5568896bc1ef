/** @file Pictures are taken of every kind of report, and the script says why it takes none. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const SCRIPT = join(ROOT, "scripts/screenshots.mjs");
const { REPORTS } = (await import(pathToFileURL(SCRIPT).href)) as {
  readonly REPORTS: Readonly<Record<string, { readonly of: string; readonly commands: readonly string[] }>>;
};

test("every folder of src/report has a report whose picture is taken", () => {
  const folders = readdirSync(join(ROOT, "src/report")).filter((name) => !["shared", "plots"].includes(name));
  const taken = new Set(Object.values(REPORTS).map(({ of }) => of));
  expect(folders.filter((folder) => !taken.has(folder))).toEqual([]);
  expect(Object.values(REPORTS).every(({ commands }) => commands.length > 0)).toBe(true);
});

test("without Chromium no command runs, and the reason is said", () => {
  const env = { ...process.env, CHROMIUM: join(ROOT, "no-such-browser") };
  const said = execFileSync(process.execPath, [SCRIPT, "study"], { env, encoding: "utf8" });
  expect(said).toBe(
    `skipped: there is no "${join(ROOT, "no-such-browser")}" here. Install Chromium, or name it: CHROMIUM=/path/to/chromium.\n`,
  );
});
