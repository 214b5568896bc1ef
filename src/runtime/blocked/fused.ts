/** @file The operations that are fused into a blocked convolution. */
import { attribute, string } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";

/** The convolution with an activation that it applies by itself, and the activation's parameters.
 */
export const activated = (node: Node, activation: string, parameters: readonly number[]): Node => ({
  ...node,
  attributes: {
    ...node.attributes,
    activation: string(activation),
    ...(parameters.length > 0 ? { activation_params: { kind: "floats", value: parameters } } : {}),
  },
});

export const hasActivation = (node: Node): boolean => attribute(node, "activation", "string") !== undefined;
