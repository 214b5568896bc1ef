/** @file The entry `dynn/web` as a browser gets it: a bundle without Node.js, without the packages that need it, and not larger than it was. */
import { builtinModules } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";

interface Import {
  readonly from: string;
  readonly to: string;
}

interface Script {
  readonly PAGES: Readonly<Record<string, string>>;
  readonly bundle: (names: string) => Promise<{
    readonly imports: readonly Import[];
    readonly modules: readonly string[];
    readonly bytes: number;
  }>;
}

const ROOT = resolve(import.meta.dirname, "../..");
const { PAGES, bundle } = (await import(pathToFileURL(join(ROOT, "bench/bundle.mjs")).href)) as Script;

/** Most bytes after gzip: a tenth above bench/records/2026-11-28-bundle. What makes them more is worth a look.
 *  A page has 4 kB more since: the checks of an opened batch and of probabilities, and the quantized operators. Then 1 kB:
 *  models that run one image at a time, and the batch that follows from the memory. Then 4 kB: gates, their refusals, their thresholds
 *  in the graph, and blocks that a browser skips too. The whole has all methods of attack, the statistics and the claims. Then 4 kB: the
 *  training of gates. Then 3 kB: audits and their like as tasks, which choose, keep and read the thresholds and scores of gates. Then 8 kB:
 *  reports that say what they found in short, explain their words and draw charts for narrow pages. Then 6 kB: the measures, pictures
 *  and baselines of gates. Then 4 kB: the worst case over attacks, the spread over seeds, and results as a table. Then 3 kB:
 *  checks of arguments for programs without types, names and costs of answers, release, and guesses of misspelt names.
 *  Then 3 kB: narrow drawings, settings in words, numbers of things in the singular. Then 7 kB: attacks on gates. Then 2 kB: targets by
 *  their plain names, thresholds that keep a limit on the loss, and early stopping of a training. Then 1 kB: the pass with all gates
 *  open for attacks on one image, and logits that attacks on gates keep. */
const MOST = { page: 128_500, whole: 512_000 };

const isOfNode = (name: string): boolean => name.startsWith("node:") || builtinModules.includes(name.split("/")[0]);
/** "@scope/name/part" is of "@scope/name"; a path is of none. */
const packageOf = (name: string): string | undefined => /^(?:@[\w-]+\/)?[\w-]+/.exec(name)?.[0];

const whole = await bundle(PAGES["all that dynn/web exports"]);
const page = await bundle(PAGES["a page that classifies"]);

describe("dynn/web in a browser", () => {
  test("imports nothing of Node.js, and no file of the rooms that do", () => {
    expect(whole.imports.length).toBeGreaterThan(1000);
    expect(whole.imports.filter(({ to }) => isOfNode(to))).toEqual([]);
    expect(whole.modules.filter((id) => /browser-external|^src\/(node|cli)\//.test(id))).toEqual([]);
  });

  test("imports these packages only", () => {
    const own = whole.imports.filter(({ from }) => /^src[/\\]/.test(from)).flatMap(({ to }) => packageOf(to) ?? []);
    expect([...new Set(own)].sort()).toEqual([
      "@bufbuild/protobuf",
      "@noble/hashes",
      "@observablehq/plot",
      "fast-png",
      "linkedom",
      "onnxruntime-web",
      "zod",
    ]);
  });

  test("brings plots, images and their packages only to a page that draws a report", () => {
    const drawing = (id: string): boolean => /linkedom|observablehq|\bd3-|fast-png|^src\/report\//.test(id);
    expect(whole.modules.filter(drawing).length).toBeGreaterThan(100);
    expect(page.modules.filter(drawing)).toEqual([]);
  });

  test("is no larger than it was", () => {
    expect(page.bytes).toBeLessThan(MOST.page);
    expect(whole.bytes).toBeLessThan(MOST.whole);
  });
});
