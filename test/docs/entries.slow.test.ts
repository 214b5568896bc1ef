/** @file The three entries as a stranger's program finds them: built, typed under both ways of resolving modules, and loadable. Runs on what
 *  `npm run build` made. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "./documents.js";
import { makeStranger, type Stranger } from "./stranger.js";

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<"types" | "default", string>>>>;
  readonly sideEffects: readonly string[];
}

const { exports, sideEffects } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

/** A program on each entry. The two that run in pages are compiled without Node's types. */
const PROGRAMS = {
  pure: {
    text: `import { type Policy, readModel, route } from "dynn";\nexport const it: unknown[] = [route, readModel];\nexport let policy: Policy;\n`,
    types: [],
  },
  web: {
    text: `import { type Backend, load, ortWeb } from "dynn/web";\nexport const backend: Backend = ortWeb();\nexport const made = load;\n`,
    types: [],
  },
  node: {
    text: `import { type Dataset, openDataset, ortNode, route } from "dynn/node";\nexport const data: Promise<Dataset> = openDataset("sample");\nexport const it: unknown[] = [ortNode, route];\n`,
    types: ["node"],
  },
} as const;
const RESOLUTIONS = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
] as const;

let stranger: Stranger;
beforeAll(async () => {
  stranger = await makeStranger();
});
afterAll(() => stranger?.remove());

describe("package.json", () => {
  test("names files that are built", () => {
    const files = [...Object.values(exports).flatMap((to) => (typeof to === "string" ? to : Object.values(to)))];
    const all = [...files, ...sideEffects].filter((file) => !file.includes("*"));
    expect(all.length).toBeGreaterThan(8);
    expect(all.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test("puts types first", () => {
    const conditions = Object.values(exports).filter((to) => typeof to === "object");
    expect(conditions.map((to) => Object.keys(to))).toEqual([
      ["types", "default"],
      ["types", "default"],
      ["types", "default"],
    ]);
  });
});

describe.each(RESOLUTIONS)("types under $moduleResolution", (resolution) => {
  test.each(Object.entries(PROGRAMS))("resolve: %s", async (name, { text, types }) => {
    const folder = join(stranger.folder, `typed-${resolution.moduleResolution}-${name}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "program.ts"), text);
    const compilerOptions = {
      ...resolution,
      target: "ES2022",
      lib: ["ES2023", "DOM", "DOM.Iterable"],
      strict: true,
      noEmit: true,
      types,
      typeRoots: [join(ROOT, "node_modules/@types")],
      skipLibCheck: true,
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["program.ts"] }));
    await stranger.run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]);
  });
});

describe("at run time", () => {
  const printed = (program: string): Promise<string> =>
    stranger.run(process.execPath, ["--input-type=module", "-e", program]);

  test("each entry loads, and the platforms' hold the pure one's names", async () => {
    const out = await printed(`
      const [pure, node, web] = await Promise.all(["dynn", "dynn/node", "dynn/web"].map((entry) => import(entry)));
      const lacks = (entry) => Object.keys(pure).filter((name) => entry[name] !== pure[name]);
      console.log(JSON.stringify({ node: lacks(node), web: lacks(web), own: [typeof node.ortNode, typeof web.ortWeb, typeof pure.ortNode] }));`);
    expect(JSON.parse(out)).toEqual({ node: [], web: [], own: ["function", "function", "undefined"] });
  });

  test("the pure entry loads neither ONNX Runtime nor sharp", async () => {
    const out = await printed(`
      const load = process.dlopen;
      process.dlopen = (...args) => { console.log("loads", args[1]); return load(...args); };
      await import("dynn");
      console.log("done");`);
    expect(out.trim()).toBe("done");
  });

  test("the bundled networks and images are found by name, inner files are not", async () => {
    const out = await printed(`
      import { existsSync } from "node:fs";
      import { fileURLToPath } from "node:url";
      for (const name of ["dynn/zoo/resnet20-cifar10-joint.onnx", "dynn/samples/cifar10-500.json", "dynn/package.json"])
        console.log(existsSync(fileURLToPath(import.meta.resolve(name))));
      await import("dynn/dist/index.js").catch(({ code }) => console.log(code));`);
    expect(out.trim().split("\n")).toEqual(["true", "true", "true", "ERR_PACKAGE_PATH_NOT_EXPORTED"]);
  });
});
