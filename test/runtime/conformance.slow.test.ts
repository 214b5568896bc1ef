/** @file One suite for every backend: the ONNX project's node tests that dynn's reader accepts. What a backend cannot do stands in its skip list
 *  with the reason; a skip that is no longer needed fails, too. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DynnError } from "../../src/core/errors.js";
import { checkProvider, ortNode, type Provider } from "../../src/node/ort-node/index.js";
import type { Backend } from "../../src/runtime/backend.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { ortWeb } from "../../src/web/ort-web/index.js";
import { CASES, type Case, difference, prepared } from "../support/onnx-node.js";

/** Chromium brings a Vulkan driver in software, which is enough for an adapter. */
const SOFTWARE_DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
if (existsSync(SOFTWARE_DRIVER)) process.env.VK_ICD_FILENAMES ??= SOFTWARE_DRIVER;
const isThere = (provider: Provider): Promise<boolean> =>
  checkProvider(provider).then(
    () => true,
    () => false,
  );
const [adapter, cuda] = [await isThere("webgpu"), await isThere("cuda")];

type Skips = readonly (readonly [cases: RegExp, reason: string])[];

/** Where dynn's reading of a case differs from the case, whatever runs it. */
const EVERYWHERE: Skips = [
  [/^test_castlike_.*BFLOAT16/, "the case feeds another shape than its model states"],
  [/^test_maxunpool_export_with_output_shape$/, "the case counts indices in the image without output_shape"],
  [
    /^test_resize_downsample_scales_(cubic|linear)_align_corners$/,
    "the case takes the length before it is rounded down",
  ],
];
const ONNX_RUNTIME: Skips = [
  ...EVERYWHERE,
  [/^test_cast_.*BFLOAT16/, "its JavaScript interface has no bfloat16"],
  [/^test_(bitshift_(left|right)|max|min)_uint16$|^test_(max|min)_int16$/, "no kernel for 16-bit integers"],
  [/^test_pow_types_float32_uint64$/, "no kernel for an unsigned exponent"],
];
const CPU: Skips = [...ONNX_RUNTIME, [/^test_pow_types_float32_uint32$/, "no kernel for an unsigned exponent"]];
const WEBGPU: Skips = [
  ...ONNX_RUNTIME,
  [/_FLOAT_to_FLOAT16|_FLOAT16_to_FLOAT(_|$)|^test_(max|min)_float16$/, "the software driver has no 16-bit floats"],
  [/^test_convtranspose_3d$/, "two dimensions at most"],
  [/^test_maxpool_with_argmax/, "no indices"],
  [/^test_(sin|cos)$/, "the driver's sine is good to three digits"],
];

const BACKENDS: readonly (readonly [name: string, backend: Backend, skips: Skips])[] = [
  [
    "the reference backend",
    referenceBackend,
    [...EVERYWHERE, [/^test_resize_tf_crop_and_resize$/, "a form that dynn refuses (docs/ops.md)"]],
  ],
  ["onnxruntime-node", ortNode({ threads: 1 }), CPU],
  ["onnxruntime-web, WebAssembly", ortWeb(), CPU],
  ...(adapter ? [["onnxruntime-node, WebGPU", ortNode({ provider: "webgpu" }), WEBGPU] as const] : []),
];

const accepted = CASES.flatMap((of) => {
  try {
    return [{ of, ...prepared(of) }];
  } catch (error) {
    if (error instanceof DynnError) return [];
    throw error;
  }
});

async function outcome(backend: Backend, { of, graph, feeds }: (typeof accepted)[number]): Promise<string | undefined> {
  try {
    const session = await backend.compile(graph);
    const results = await session.run(feeds);
    await session.release();
    return difference(of, graph, results);
  } catch (error) {
    return String(error);
  }
}

test.skipIf(adapter)("WebGPU is not tried where there is no adapter", async () => {
  await expect(checkProvider("webgpu")).rejects.toMatchObject({ code: "runtime/provider" });
});

test.skipIf(cuda)("a provider that is not there is named, with what it needs", async () => {
  await expect(ortNode({ provider: "cuda" }).compile(accepted[0]?.graph)).rejects.toMatchObject({
    code: "runtime/provider",
    message: expect.stringMatching(
      /^provider cuda: this machine cannot run it \(.+\)\. It needs an NVIDIA GPU .+\[runtime\/provider\]$/,
    ),
  });
});

describe.each(BACKENDS)("%s", (_, backend, skips) => {
  const skipped = ({ name }: Case): boolean => skips.some(([cases]) => cases.test(name));

  test("gives what the ONNX project says, but for its skip list", async () => {
    const wrong: Record<string, string> = {};
    const needless: string[] = [];
    for (const prepared of accepted) {
      const found = await outcome(backend, prepared);
      if (found !== undefined && !skipped(prepared.of)) wrong[prepared.of.name] = found;
      if (found === undefined && skipped(prepared.of)) needless.push(prepared.of.name);
    }
    expect(wrong).toEqual({});
    expect(needless).toEqual([]);
  }, 300_000);
});
