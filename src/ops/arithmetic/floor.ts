/** @file Floor: the largest integer that is not above x. Its gradient is zero everywhere, as in PyTorch. Spec: ONNX
 *  Floor-13. */
import { unary } from "../support/elementwise.js";

export const Floor = unary("Floor", Math.floor, () => undefined);
