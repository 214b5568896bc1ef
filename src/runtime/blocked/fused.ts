/** @file What a blocked convolution does beside convolving. */
import { attribute, string } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";

/** An activation that a blocked convolution applies by itself, with the numbers it takes. */
export const activated = (node: Node, activation: string, parameters: readonly number[]): Node => ({
  ...node,
  attributes: {
    ...node.attributes,
    activation: string(activation),
    ...(parameters.length > 0 ? { activation_params: { kind: "floats", value: parameters } } : {}),
  },
});

export const hasActivation = (node: Node): boolean => attribute(node, "activation", "string") !== undefined;
