/** @file Elementwise operators with a constant, seen as a per-channel affine map (axis 1): what normalisation is made of. */
import { toNumbers } from "../../core/tensor.js";
import type { ChannelAffine, InferContext } from "../../graph/op.js";

/** `asAffine` of y = x (op) c, where c is a constant per channel or a single number.
 * @param map scale and shift that one element of c stands for */
export const withConstant =
  (map: (c: number) => readonly [scale: number, shift: number]) =>
  (ctx: InferContext): ChannelAffine | undefined => {
    const constants = perChannel(ctx);
    return constants && { scale: constants.map((c) => map(c)[0]), shift: constants.map((c) => map(c)[1]) };
  };

/** More channels are left as they are: a file may claim any number of them. */
const MOST_CHANNELS = 2 ** 16;

/** The second operand, one number per channel of the first; undefined when it is no constant or varies otherwise. */
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
