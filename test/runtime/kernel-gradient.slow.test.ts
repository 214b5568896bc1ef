/** Gradients of a convolution's weights as one blocked convolution, with blocks of 8 (AVX2) and of 16 (AVX-512). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toNumbers } from "../../src/core/tensor.js";
import type { Graph } from "../../src/graph/graph.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { rewritten } from "../../src/node/ort-node/rewrites.js";
import { isWide } from "../../src/runtime/blocked/kernel-gradient.js";
import { blockedLayout } from "../../src/runtime/blocked/rewrite.js";
import { type KernelGradient, lowerKernelGradients } from "../../src/runtime/kernel-gradients.js";
import { runReference } from "../../src/runtime/reference.js";
import { ortWeb } from "../../src/web/ort-web/index.js";
import { runInBlocks } from "../support/blocked-operators.js";
import { BLOCKS, expectNear, expectRight, feedsOf, gradientsOf, type Layer } from "../support/convolution-layer.js";

const products = ({ nodes }: Graph): boolean => nodes.some((n) => n.opType === "MatMul" || n.opType === "Gemm");

/** The blocks in which a layer's gradient is one convolution. */
const wideIn = (layer: Layer): number[] =>
  BLOCKS.filter((block) => !products(blockedLayout(gradientsOf(layer), block)));

const LAYER: Layer = { batch: 16, channels: 16, outputs: 16, side: [6, 5], kernel: [3, 3], pads: [1, 1, 1, 1] };
const POINT: Layer = { ...LAYER, kernel: [1, 1], pads: [0, 0, 0, 0], side: [12, 11] };

describe("is one convolution where it can be, and right everywhere", () => {
  test.each<[string, Layer, readonly number[]]>([
    ["3x3", LAYER, [8, 16]],
    ["several blocks of both", { ...LAYER, channels: 32, outputs: 48 }, [8, 16]],
    ["blocks of 8 only", { ...LAYER, channels: 24, outputs: 8 }, [8]],
    ["channels that fill no block", { ...LAYER, channels: 12, outputs: 16 }, [16]],
    ["outputs that fill no block", { ...LAYER, outputs: 20 }, []],
    ["three channels, as images have", { ...LAYER, channels: 3 }, [8, 16]],
    ["one channel", { ...LAYER, channels: 1, kernel: [5, 5], pads: [2, 2, 2, 2] }, [8, 16]],
    ["stride 2", { ...LAYER, side: [8, 9], stride: 2 }, [8, 16]],
    [
      "stride 2, rows and columns that no window reaches",
      { ...LAYER, side: [10, 12], stride: 2, pads: [0, 0, 0, 0] },
      [8, 16],
    ],
    ["stride 3", { ...LAYER, side: [13, 14], stride: 3 }, [8, 16]],
    ["uneven pads", { ...LAYER, pads: [2, 0, 1, 3] }, [8, 16]],
    ["pads beyond the kernel", { ...LAYER, pads: [3, 4, 5, 3] }, [8, 16]],
    ["a kernel that is no square", { ...LAYER, kernel: [1, 4], pads: [0, 2, 0, 1] }, [8, 16]],
    ["5x5", { ...LAYER, kernel: [5, 5], pads: [2, 2, 2, 2] }, [8, 16]],
    [
      "7x7, stride 2, of three channels",
      { ...LAYER, channels: 3, side: [13, 12], kernel: [7, 7], stride: 2, pads: [3, 3, 3, 3] },
      [8, 16],
    ],
    ["1x1", POINT, [8, 16]],
    ["1x1, several blocks", { ...POINT, channels: 32, outputs: 32 }, [8, 16]],
    ["1x1 of three channels", { ...POINT, channels: 3 }, [8, 16]],
    ["1x1, stride 2", { ...POINT, side: [23, 24], stride: 2 }, [8, 16]],
    ["1x1, padded", { ...POINT, pads: [1, 1, 1, 1] }, [8, 16]],
    ["1x1, stride 2, padded", { ...POINT, side: [23, 23], stride: 2, pads: [1, 0, 0, 1] }, [8, 16]],
    ["few pixels", { ...LAYER, side: [3, 2] }, []],
    ["1x1 of few pixels", { ...POINT, side: [8, 8] }, [16]],
    ["dilation", { ...LAYER, dilation: 2, pads: [2, 2, 2, 2] }, []],
    ["groups", { ...LAYER, channels: 32, outputs: 32, groups: 2 }, []],
    ["groups of less than a block", { ...LAYER, groups: 4 }, []],
    ["large images", { ...LAYER, batch: 8, channels: 3, side: [32, 32], outputs: 32 }, [8, 16]],
    ["1x1, large images", { ...POINT, batch: 2, side: [33, 32], outputs: 32 }, [8, 16]],
    ["one sample", { ...LAYER, batch: 1, side: [8, 8] }, [8, 16]],
    ["seven samples", { ...LAYER, batch: 7 }, [8, 16]],
    ["a batch that is less than a wide block", { ...LAYER, batch: 13 }, [16]],
    ["a batch of 24", { ...LAYER, batch: 24, side: [4, 4] }, [8]],
    ["a batch of 33", { ...LAYER, batch: 33, side: [4, 4] }, []],
    ["a batch of 48", { ...LAYER, batch: 48, side: [4, 4] }, [8, 16]],
  ])("%s", async (_, layer, blocks) => {
    expect(wideIn(layer)).toEqual(blocks);
    await expectRight(gradientsOf(layer));
  });

  test("taps that would fill the memory are products", () => {
    const pair = [4, 4] as const;
    const gradient = (batch: number): KernelGradient =>
      ({
        batch,
        channels: 512,
        outputs: 512,
        windows: pair,
        kernel: [3, 3],
        dilations: [1, 1],
      }) as unknown as KernelGradient;
    expect([64, 128, 256].map((batch) => isWide(gradient(batch), 16))).toEqual([true, true, false]);
  });
});

test("random layers have the same gradients in blocks and on ONNX Runtime", async () => {
  const side = fc.integer({ min: 4, max: 9 });
  const pad = fc.integer({ min: 0, max: 3 });
  const layers = fc
    .record({
      batch: fc.oneof(fc.constantFrom(8, 16), fc.integer({ min: 1, max: 34 })),
      channels: fc.constantFrom(3, 8, 16, 24),
      outputs: fc.constantFrom(8, 16, 24, 32),
      side: fc.tuple(side, side),
      kernel: fc.constantFrom([1, 1], [3, 3], [5, 5], [7, 7], [3, 1], [2, 3]) as fc.Arbitrary<[number, number]>,
      stride: fc.constantFrom(1, 1, 2, 3),
      pads: fc.tuple(pad, pad, pad, pad),
      dilation: fc.constantFrom(1, 1, 1, 2),
      groups: fc.constantFrom(1, 1, 1, 8),
    })
    .filter(({ channels, outputs, groups, kernel, dilation, side: size, pads }) => {
      const room = [0, 1].map((i) => size[i] + pads[i] + pads[i + 2]);
      const fits = kernel.every((k, i) => (k - 1) * dilation < room[i]);
      return fits && channels % groups === 0 && outputs % groups === 0;
    });
  await fc.assert(
    fc.asyncProperty(layers, (layer) => expectRight(gradientsOf(layer))),
    { numRuns: 25, seed: 3 },
  );
});

describe("without a blocked layout", () => {
  const graph = gradientsOf(LAYER);
  const swaps = ({ nodes }: Graph): number =>
    nodes.filter(
      (n) =>
        n.opType === "Transpose" && n.attributes.perm?.kind === "ints" && n.attributes.perm.value.join() === "1,0,2,3",
    ).length;

  test("the rule of Conv writes a convolution of swapped tensors", () => {
    expect([products(graph), swaps(graph)]).toEqual([false, 4]);
  });

  test("matrix products take its place, with the same numbers", async () => {
    const lowered = lowerKernelGradients(graph);
    // The kernel of dX is swapped still.
    expect([products(lowered), swaps(lowered)]).toEqual([true, 1]);
    const feeds = feedsOf(graph);
    const [got, want] = [runInBlocks(lowered, feeds, 1), runInBlocks(graph, feeds, 1)];
    for (const [name, { data }] of want) expectNear(got.get(name)?.data ?? [], data, 1e-12, name);
  });

  test("a graph without such a gradient stays as it is", () => {
    const lowered = lowerKernelGradients(graph);
    expect(lowerKernelGradients(lowered)).toBe(lowered);
  });

  test("so it is on ONNX Runtime as it is", async () => {
    expect(products(await rewritten(graph, false))).toBe(true);
    expect(products(await rewritten(graph, true))).toBe(false);
  });

  test("and on ONNX Runtime for the web", async () => {
    const session = await ortWeb().compile(graph);
    const feeds = feedsOf(graph);
    const [got, want] = [await session.run(feeds), runReference(graph, feeds)];
    await session.release();
    for (const { name } of graph.outputs) expectNear(toNumbers(got[name]), toNumbers(want[name]), 1e-5, name);
  });
});

test("a step's gradient has the same bits each time, on one thread and on two", async () => {
  const graph = gradientsOf({ ...LAYER, batch: 32, channels: 32, outputs: 32 });
  for (const threads of [1, 2]) {
    const session = await ortNode({ threads }).compile(graph);
    const [first, second] = [await session.run(feedsOf(graph)), await session.run(feedsOf(graph))];
    expect(second).toEqual(first);
    await session.release();
  }
});
