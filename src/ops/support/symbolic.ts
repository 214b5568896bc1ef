/** @file Shape arithmetic on small integer tensors whose elements may be named dimensions. */
import type { Dim } from "../../core/shape.js";
import type { ValueType } from "../../graph/graph.js";
import type { InferContext, NdArray, OpDef } from "../../graph/op.js";
import { ndOf } from "./nd.js";

type Propagate = NonNullable<OpDef["propagate"]>;

/** Known elements of input i with its dims, when its shape has no unknowns. */
function known(
  type: ValueType | undefined,
): { readonly dims: readonly number[]; readonly value: readonly Dim[] } | undefined {
  if (!type?.value || !type.shape.every((d) => typeof d === "number")) return undefined;
  return { dims: type.shape, value: type.value };
}

/** For operators that only move elements of the inputs in `moved` (all others must be known numbers):
 *  run the reference kernel on positions instead of elements, then look the elements up. */
export const symbolicMove =
  (def: Pick<OpDef, "run">, moved: (i: number) => boolean = (i) => i === 0): Propagate =>
  (ctx) => {
    const pool: Dim[] = [];
    const inputs: (NdArray | undefined)[] = [];
    for (const [i, type] of ctx.inputs.entries()) {
      const entry = known(type);
      if (type && !entry) return undefined;
      if (entry && moved(i)) {
        inputs.push(
          ndOf(
            entry.dims,
            entry.value.map((_, k) => pool.length + k),
          ),
        );
        pool.push(...entry.value);
      } else if (entry && !entry.value.every((d) => typeof d === "number")) return undefined;
      else inputs.push(entry && ndOf(entry.dims, entry.value as number[]));
    }
    const [out] = def.run(inputs, { node: ctx.node, opset: ctx.opset, inputTypes: ctx.inputs.map((t) => t?.dtype) });
    return out && [...out.data].map((at) => pool[at]);
  };

/** For elementwise operators of two inputs of one length (or a scalar against a list). */
export const symbolicBinary =
  (f: (a: Dim, b: Dim) => Dim | undefined): Propagate =>
  (ctx: InferContext) => {
    const [a, b] = [known(ctx.inputs[0]), known(ctx.inputs[1])];
    if (!a || !b || a.dims.length > 1 || b.dims.length > 1) return undefined;
    const length = Math.max(a.value.length, b.value.length);
    if ((a.value.length !== length && a.value.length !== 1) || (b.value.length !== length && b.value.length !== 1))
      return undefined;
    const out = Array.from({ length }, (_, i) =>
      f(a.value[a.value.length === 1 ? 0 : i], b.value[b.value.length === 1 ? 0 : i]),
    );
    return out.every((d) => d !== undefined) ? out : undefined;
  };

/** The elements of input i, for rules that need them as a shape; names allowed. */
export const knownElements = (ctx: InferContext, i: number): readonly Dim[] | undefined => {
  const type = ctx.inputs[i];
  return type ? known(type)?.value : undefined;
};
