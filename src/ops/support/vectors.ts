/** @file Inputs with one number per channel: scales, shifts, biases. */
import type { Dim } from "../../core/shape.js";
import { type InferContext, inputType, mismatch } from "../../graph/op.js";

/** See that inputs are vectors, one element per channel (or group).
 * @param lengths what each may be long; a length with a name fits any
 * @throws DynnError 'shape/mismatch' */
export function checkVectors(ctx: InferContext, inputs: readonly number[], lengths: readonly Dim[]): void {
  const isOpen = lengths.some((length) => typeof length === "string");
  for (const i of inputs) {
    const { shape } = inputType(ctx, i);
    const [length] = shape;
    if (shape.length === 1 && (isOpen || typeof length === "string" || lengths.includes(length))) continue;
    throw mismatch(
      ctx.node,
      `input ${i} has shape [${shape}], expected ${[...new Set(lengths)].map((l) => `[${l}]`).join(" or ")}, one per channel. Export the model again.`,
      { input: i, shape, channels: lengths[0] },
    );
  }
}
