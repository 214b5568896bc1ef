/** @file Max: the largest of its inputs, with broadcasting. Inputs that tie share the gradient evenly, as in
 *  torch.maximum. Spec: ONNX Max-13. */
import { shareAmongInputs, variadic } from "../support/variadic.js";

export const Max = variadic("Max", Math.max, shareAmongInputs);
