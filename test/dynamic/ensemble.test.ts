/** @file An ensemble gives the mean of what its parts give. */
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { ensemble } from "../../src/dynamic/model/ensemble.js";
import type { DynamicModel } from "../../src/dynamic/model/model.js";
import { underPolicy } from "../../src/dynamic/model/under-policy.js";
import { softmaxRow } from "../../src/dynamic/route/policy.js";
import { runReference } from "../../src/runtime/reference.js";
import { ALWAYS_CLOSED, ALWAYS_OPEN } from "../../src/schema/policy.js";
import { gatedModel } from "../support/gated.js";
import { linearModel, smallExits } from "../support/models.js";

const parts = [smallExits(1), smallExits(2), smallExits(3)];
const pixels = uniform({ seed: 3, sample: 0, purpose: "test", step: 0 }, 2 * 192);

/** The logits of every exit for two images. */
function logitsOf(model: DynamicModel): number[][][] {
  const out = runReference(model.graph, { [model.input.name]: fromNumbers("float32", [2, 3, 8, 8], pixels) });
  return model.exits.map(({ logits }) => {
    const data = Array.from(out[logits].data as Float32Array);
    return [data.slice(0, 4), data.slice(4)];
  });
}
const finals = parts.map((part) => logitsOf(part).at(-1) as number[][]);
const meanOver = (rows: readonly (readonly number[])[]): number[] =>
  rows[0].map((_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);

describe("an ensemble", () => {
  test("of logits has their mean as its one exit", () => {
    const found = logitsOf(ensemble(parts, { form: "logits" }));
    expect(found.length).toBe(1);
    for (const i of [0, 1])
      meanOver(finals.map((rows) => rows[i])).forEach((z, k) => expect(found[0][i][k]).toBeCloseTo(z, 5));
  });

  test("of probabilities has the logarithm of their mean", () => {
    const [found] = logitsOf(ensemble(parts, { form: "probabilities" }));
    for (const i of [0, 1])
      meanOver(finals.map((rows) => Array.from(softmaxRow(Float32Array.from(rows[i]))))).forEach((p, k) =>
        expect(found[i][k]).toBeCloseTo(Math.log(p), 4),
      );
  });

  test("of losses has one exit for each part", () => {
    const found = logitsOf(ensemble(parts, { form: "losses" }));
    expect(found.length).toBe(3);
    const sorted = (all: readonly (readonly number[][])[]) => all.map((rows) => rows[0][0]).sort((a, b) => a - b);
    sorted(found).forEach((z, k) => expect(z).toBeCloseTo(sorted(finals)[k], 5));
  });

  test("of parts with gates answers as the parts do under the gates of their files", () => {
    const frame = { rule: "max-softmax", thresholds: [], fallback: "final" } as const;
    const policies = [ALWAYS_OPEN, ALWAYS_CLOSED].map((t) => ({ ...frame, gates: { thresholds: [t, t, t, t] } }));
    const gated = policies.map((policy) => gatedModel({ policy }));
    const own = gated.map((part, i) => logitsOf(underPolicy(part, policies[i]))[0]);
    expect(own[0]).not.toEqual(own[1]);
    const model = ensemble(gated, { form: "logits" });
    expect(model.gates).toEqual([]);
    const [found] = logitsOf(model);
    for (const i of [0, 1])
      meanOver(own.map((rows) => rows[i])).forEach((z, k) => expect(found[i][k]).toBeCloseTo(z, 4));
  });

  test("refuses parts for other images", () => {
    expect(() => ensemble([parts[0], linearModel([[1], [0], [0], [0]], [0, 0, 0, 0])], { form: "logits" })).toThrow(
      /images \[1,1,1\], 4 classes.* An ensemble needs the same three\. \[transfer\/mismatch\]$/,
    );
  });
});
