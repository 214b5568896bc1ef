/** @file Min: the smallest of its inputs, with broadcasting. Inputs that tie share the gradient evenly, as in
 *  torch.minimum. Spec: ONNX Min-13. */
import { shareAmongInputs, variadic } from "../support/variadic.js";

export const Min = variadic("Min", Math.min, shareAmongInputs);
