/** @file The gate that reads the mean of its block's input: a layer of 16 normalised features, then
 *  a score. Source: Veit & Belongie, "Convolutional networks with adaptive inference graphs", ECCV
 *  2018, section 3.2; here with one score. */
import { batchNorm, inside, linear, relu } from "../layers.js";
import { averaged, type GateMechanism, OPEN } from "./mechanism.js";

const HIDDEN = 16;

/** Appends the score of one gate. Means over an image differ little between images. Without the
 * normalisation, a step that changes the score of one image changes that of all
 * (docs/decisions/0020). */
export const pooledGate: GateMechanism = () => (at, x) => {
  const [hidden, last] = [inside(at, "fc1"), inside(at, "fc2")];
  const features = relu(at, "relu", batchNorm(at, "bn", linear(hidden, hidden.path, averaged(at, x), HIDDEN)));
  return linear(last, last.path, features, 1, OPEN);
};
