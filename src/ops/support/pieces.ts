/** @file Gradients of activations that are the identity (or a scaled identity) for positive x
 *  and another function below. */
import type { ValueName } from "../../graph/graph.js";
import { like, type UnaryGradient } from "./elementwise.js";

/** `above` where x > 0, `below` elsewhere and at 0, as in PyTorch. */
export const wherePositive = (g: UnaryGradient, above: ValueName, below: ValueName): ValueName =>
  g.b.op("Where", [g.b.op("Greater", [g.x, like(g, 0)]), above, below], {}, "grad");
