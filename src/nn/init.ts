/** @file Initial values of parameters. They are a function of the seed and the parameter's name
 *  only. So a layer starts with the same numbers in every network, and a backbone starts the
 *  same with and without exits. Source: He et al., "Delving deep into rectifiers", ICCV 2015
 *  (fan-out form, section 2.2); linear layers as in PyTorch. */
import { normal, type StreamKey, uniform } from "../core/rng.js";
import { type Dims, sizeOf } from "../core/shape.js";
import { fromNumbers, type Tensor, tensor } from "../core/tensor.js";

export type Initial = (key: StreamKey, dims: Dims) => Tensor<"float32">;

/** Normal with variance 2 / fan-out, for weights [out, in/groups, kh, kw]. An input value
 * reaches out/groups * kh * kw outputs. */
export const heNormal =
  (groups = 1): Initial =>
  (key, dims) => {
    const [out, , ...kernel] = dims as [number, ...number[]];
    const deviation = Math.sqrt((2 * groups) / (out * sizeOf(kernel)));
    const draw = normal(key, sizeOf(dims));
    for (let i = 0; i < draw.length; i++) draw[i] *= deviation;
    return tensor("float32", dims, draw);
  };

/** Uniform within 1 / sqrt(inputs), PyTorch's default for weights and biases of a linear layer. */
export const linearUniform =
  (inputs: number): Initial =>
  (key, dims) => {
    const bound = 1 / Math.sqrt(inputs);
    return tensor("float32", dims, uniform(key, sizeOf(dims), -bound, bound));
  };

/** Normal around 0. */
export const gaussian =
  (deviation: number): Initial =>
  (key, dims) =>
    tensor(
      "float32",
      dims,
      normal(key, sizeOf(dims)).map((v) => v * deviation),
    );

export const filled =
  (value: number): Initial =>
  (_, dims) =>
    fromNumbers("float32", dims, new Float32Array(sizeOf(dims)).fill(value));

/** The stream of a parameter. The key holds the 32-bit FNV-1a hash of the name in place of the
 * sample's number. */
export function streamOf(name: string, seed: number): StreamKey {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return { seed, sample: hash, purpose: "init", step: 0 };
}
