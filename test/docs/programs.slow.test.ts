/** @file The programs in documents and the examples do what they say: TypeScript is type-checked against the package's own types,
 *  compiled and run, and Python is run. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf, ROOT } from "./documents.js";
import { makeStranger, type Stranger } from "./stranger.js";

const typescript = blocksOf("ts").map((b, i) => ({ ...b, file: `blocks/block-${i}` }));
const examples = readdirSync(join(ROOT, "examples")).filter((f) => f.endsWith(".mjs"));

/** What each example is given, so that it ends soon. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  "audit-your-model.mjs": ["model.onnx", "sample", "16"],
  "own-attack.mjs": ["16"],
  "conditional-in-stock-onnxruntime.mjs": ["early.onnx", "model.onnx", "20"],
  "gradient-of-any-model.mjs": ["model.onnx", "3", "with-gradient.onnx"],
};

let stranger: Stranger;
beforeAll(async () => {
  stranger = await makeStranger();
  await compile(stranger);
  await stranger.run("dynn", [
    "export",
    "model.onnx",
    "--format",
    "conditional",
    "--samples",
    "16",
    "-o",
    "early.onnx",
  ]);
});
afterAll(() => stranger?.remove());

/** Compile blocks as a strict program that has dynn as a dependency. */
async function compile({ folder, run }: Stranger): Promise<void> {
  mkdirSync(join(folder, "blocks"));
  for (const { file, text } of typescript) writeFileSync(join(folder, `${file}.ts`), text);
  const compilerOptions = {
    target: "ES2022",
    module: "NodeNext",
    lib: ["ES2023", "ESNext.Disposable", "DOM"],
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    skipLibCheck: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["blocks"] }));
  await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]);
}

const PYTHON = process.env.PYTHON ?? "python3";
const hasTorch = spawnSync(PYTHON, ["-c", "import numpy, torch"]).status === 0;

/** What Python blocks take as given: a model of the reader, and torchattacks where it is not installed. It reads what
 *  torchattacks' own `load` reads. */
const GIVEN = `
import sys, types, torch
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 10))
def load(path, batch_size):
    saved = torch.load(path)
    assert saved["save_type"] == "float" and saved["adv_inputs"].dtype == torch.float32
    kept = torch.utils.data.TensorDataset(saved["adv_inputs"], saved["labels"])
    return torch.utils.data.DataLoader(kept, batch_size=batch_size)
try: import torchattacks
except ImportError:
    sys.modules["torchattacks"] = types.SimpleNamespace(attack=types.SimpleNamespace(Attack=types.SimpleNamespace(load=load)))
`;
/** What must hold of the names that a block has defined. */
const HOLDS = `
assert tuple(x.shape) == (16, 3, 32, 32) and x.min() >= 0 and x.max() <= 1 and str(x.dtype).endswith("float32")
assert len(y) >= len(x) and str(y.dtype).endswith("int64") and all(0 <= int(label) < 10 for label in y)
if "attack" in globals(): assert attack["radius"] == 8 / 255 and attack["samples"] == len(x)
if "loader" in globals(): assert sum(len(labels) for _, labels in loader) == len(x)
print("ok")
`;

describe.skipIf(!hasTorch)("Python blocks", () => {
  beforeAll(async () => {
    const images = ["--samples", "16", "--attacks", "fgsm,routed", "--radii", "0", "--keep", "kept"];
    await stranger.run("dynn", ["audit", "zoo:resnet20-joint", ...images]);
  });

  test.each(blocksOf("python").filter(({ document }) => document === "docs/attack-file.md"))(
    "$at runs, and has four lines",
    async ({ text }) => {
      expect(text.trimEnd().split("\n")).toHaveLength(4);
      expect(await stranger.run(PYTHON, ["-c", `${GIVEN}${text}${HOLDS}`])).toMatch(/ok\n$/);
    },
  );
});

describe("TypeScript blocks", () => {
  test.each(typescript)("$at runs", async ({ file }) => {
    expect(await stranger.run(process.execPath, [`${file}.js`])).not.toBe("");
  });
});

describe("examples", () => {
  test.each(examples)("%s runs", async (file) => {
    const out = await stranger.run(process.execPath, [join("examples", file), ...(ARGUMENTS[file] ?? [])]);
    expect(out).not.toBe("");
  });

  test("the model that also computes its gradient runs in any ONNX runtime", async () => {
    await stranger.run(process.execPath, ["examples/gradient-of-any-model.mjs", "model.onnx", "3", "again.onnx"]);
    const session = await ort.InferenceSession.create(join(stranger.folder, "again.onnx"), { logSeverityLevel: 3 });
    const image = new ort.Tensor("float32", new Float32Array(3072).fill(0.5), [1, 3, 32, 32]);
    const { score, gradient } = await session.run({ [session.inputNames[0]]: image });
    await session.release();
    expect(score?.dims).toEqual([1]);
    expect(gradient?.dims).toEqual([1, 3, 32, 32]);
    expect((gradient.data as Float32Array).some((g) => g !== 0)).toBe(true);
  });
});
