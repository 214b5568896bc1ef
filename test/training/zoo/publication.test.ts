/** @file Weights as they are published: 11 significant bits, and no weight twice. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARCHITECTURES } from "../../../src/nn/architectures.js";
import { writeModel } from "../../../src/onnx/write.js";
import { roundedWeights, sharedWeights, toHalfPrecision } from "../../../src/training/zoo/publication.js";

/** The same by arithmetic: the nearest multiple of the last place, ties to even. */
function byArithmetic(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -126);
  const place = 2 ** (exponent - 10);
  const [low, rest] = [Math.floor(value / place), value / place - Math.floor(value / place)];
  const up = rest > 0.5 || (rest === 0.5 && low % 2 !== 0);
  return (up ? low + 1 : low) * place;
}

describe("precision of float16", () => {
  test("is the nearest number with 11 significant bits, ties to even", () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, min: Math.fround(-1e30), max: Math.fround(1e30), noDefaultInfinity: true }),
        (value) => {
          fc.pre(Math.abs(value) > 1e-35 || value === 0);
          expect(toHalfPrecision(Float32Array.of(value))[0]).toBe(Math.fround(byArithmetic(Math.fround(value))));
        },
      ),
      { numRuns: 5000 },
    );
    const tie = 1 + 2 ** -11;
    expect(toHalfPrecision(Float32Array.of(tie, tie + 2 ** -10))).toEqual(Float32Array.of(1, 1 + 2 ** -9));
  });

  test("twice is as once, and the range is that of float32", () => {
    const odd = Float32Array.of(1e-30, 3.4028234e38, Number.POSITIVE_INFINITY, Number.NaN, -0, 65520);
    const once = toHalfPrecision(odd);
    expect(toHalfPrecision(once)).toEqual(once);
    expect(Number.isFinite(once[1])).toBe(true);
    expect(once[0]).toBeGreaterThan(0);
    expect(once[0]).not.toBe(odd[0]);
    expect([once[2], once[3], once[5]]).toEqual([Number.POSITIVE_INFINITY, Number.NaN, 65536]);
  });
});

const network = (seed: number) => ARCHITECTURES.resnet20.make({ classes: 10, imageSize: 32, width: 0.25, seed }).graph;

describe("a published network", () => {
  test("has rounded weights and statistics, and every other constant as it was", () => {
    const graph = network(1);
    const rounded = roundedWeights(graph);
    const changed = [...graph.initializers].filter(([name, { data }]) =>
      [...data].some((v, i) => v !== rounded.initializers.get(name)?.data[i]),
    );
    expect(changed.length).toBeGreaterThan(15);
    expect(changed.every(([name]) => /\.(weight|bias|mix|running_mean|running_var)$/.test(name))).toBe(true);
  });

  test("refers to the weights that another file holds, and stores those that differ", () => {
    const base = roundedWeights(network(1));
    const bytes = writeModel({ graph: base });
    const all = sharedWeights(base, { location: "static.onnx", bytes }) ?? new Map();
    const other = sharedWeights(roundedWeights(network(2)), { location: "static.onnx", bytes }) ?? new Map();
    expect(all.size).toBeGreaterThan(15);
    expect([...all.values()].every(({ location, length }) => location === "static.onnx" && length >= 256)).toBe(true);
    // Only statistics and scales that still have their first values are alike.
    expect([...other.keys()].filter((name) => name.includes("conv"))).toEqual([]);
    expect(writeModel({ graph: base, external: all }).length).toBeLessThan(bytes.length / 4);
  });
});
