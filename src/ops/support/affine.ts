/** @file Elementwise operators with a constant as per-channel affine maps (axis 1).
 *  Normalisation consists of such operators. */
import { toNumbers } from "../../core/tensor.js";
import type { ChannelAffine, InferContext } from "../../graph/op.js";

/** `asAffine` of y = x (op) c, where c is a single number or one constant per channel.
 * @param map the scale and shift that belong to one element of c */
export const withConstant =
  (map: (c: number) => readonly [scale: number, shift: number]) =>
  (ctx: InferContext): ChannelAffine | undefined => {
    const constants = perChannel(ctx);
    return constants && { scale: constants.map((c) => map(c)[0]), shift: constants.map((c) => map(c)[1]) };
  };

/** Nodes with more channels stay, because a file may state any number of them. */
const MOST_CHANNELS = 2 ** 16;

/** The second operand, one number per channel of the first. Undefined when it is not a constant,
 * or varies along other axes. */
function perChannel(ctx: InferContext): Float64Array | undefined {
  const [shape, c] = [ctx.inputs[0]?.shape, ctx.constant(1)];
  const channels = shape?.[1];
  if (!shape || !c || typeof channels !== "number" || channels > MOST_CHANNELS || c.dims.length > shape.length)
    return undefined;
  const axis = 1 - (shape.length - c.dims.length);
  const varies = c.dims.some((d, i) => d !== 1 && (i !== axis || d !== channels));
  if (varies) return undefined;
  const numbers = toNumbers(c);
  return Float64Array.from({ length: channels }, (_, k) => numbers[numbers.length === 1 ? 0 : k]);
}
