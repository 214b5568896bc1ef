/** @file The playground imports `dynn/web` alone, and only its engine runs it: the page itself takes types. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../playground/src");
const ROOT = resolve(SRC, "../..");
/** Packages that the page may import. */
const PACKAGES = ["dynn/web", "preact", "preact/hooks"];
/** Files beside the page whose address it may ask for. */
const FILES = /^(samples\/|zoo\/resnet20-cifar10-joint\.onnx|playground\/made\/)[^?]*\?url$/;

const STATEMENT = /\bimport\b([^;"']*?)\bfrom\s+["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /\.tsx?$/.test(file));

const imports = files.flatMap((from) =>
  [...readFileSync(join(SRC, from), "utf8").matchAll(STATEMENT)].map(([, what = "", to, bare]) => ({
    from,
    to: to ?? bare,
    typeOnly: /^\s*type\b/.test(what),
  })),
);

const pathOf = ({ from, to }: { readonly from: string; readonly to: string }): string =>
  relative(ROOT, resolve(SRC, dirname(from), to)).replaceAll("\\", "/");

describe("the playground", () => {
  test("imports its own files, the files it serves, and three packages", () => {
    const wrong = imports.filter((one) =>
      one.to.startsWith(".")
        ? !pathOf(one).startsWith("playground/src/") && !FILES.test(pathOf(one))
        : !PACKAGES.includes(one.to),
    );
    expect(wrong).toEqual([]);
    expect(imports.length).toBeGreaterThan(60);
  });

  test("runs dynn in its engine only, so that the page never waits", () => {
    const running = imports.filter(
      ({ from, to, typeOnly }) => to === "dynn/web" && !typeOnly && !from.startsWith("engine/"),
    );
    expect(running).toEqual([]);
    const engine = imports.filter(
      ({ from, to }) => !from.startsWith("engine/") && /\/engine\/(?!$)/.test(pathOf({ from, to })),
    );
    expect(engine).toEqual([]);
    expect(imports.some(({ from, to, typeOnly }) => to === "dynn/web" && !typeOnly && from.startsWith("engine/"))).toBe(
      true,
    );
  });
});
