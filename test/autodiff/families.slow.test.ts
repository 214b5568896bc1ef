import { describe, expect, test } from "vitest";
import { OPSETS } from "../../src/onnx/model.js";
import { FLOAT32_BOUND, SLOPE_BOUND } from "../support/gradient-errors.js";
import { type CheckedNetwork, checkedNetworks } from "../support/networks.js";

const { trained, families, foreign } = checkedNetworks();
const byName = (networks: readonly CheckedNetwork[]) => networks.map((network) => [network.name, network] as const);

/** float64 on the reference kernels against finite differences, float32 on ONNX Runtime against float64. */
async function expectRight({ check }: CheckedNetwork): Promise<void> {
  const errors = await check();
  expect(errors.slope ?? 0).toBeLessThanOrEqual(SLOPE_BOUND);
  expect(errors.float32).toBeLessThan(FLOAT32_BOUND);
}

describe("input gradients of small networks of today's families", () => {
  test.each(byName(families))("%s", (_, network) => expectRight(network));

  test("there is one for every opset that dynn reads from 11 on", () => {
    const wanted = Array.from({ length: OPSETS.newest - OPSETS.oldest + 1 }, (_, i) => OPSETS.oldest + i);
    const covered = new Set(families.map(({ graph }) => graph.opset));
    expect(wanted.filter((opset) => !covered.has(opset))).toEqual([]);
  });
});

describe("input gradients of files in the forms of other exporters", () => {
  test.each(byName(foreign))("%s", (_, network) => expectRight(network));
});

describe("input gradients of the bundled networks and of those that dynn builds", () => {
  test.each(byName(trained))("%s", (_, network) => expectRight(network), 300_000);
});
