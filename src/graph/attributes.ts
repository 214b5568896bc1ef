/** @file Node attributes as tagged unions, and typed access to them. */
import { DynnError } from "../core/errors.js";
import type { Tensor } from "../core/tensor.js";
import type { Attribute, Node } from "./graph.js";

export type { Attribute, Attributes } from "./graph.js";

type ValueOf = { readonly [A in Attribute as A["kind"]]: A["value"] };

/** An attribute of the named kind, or undefined when the node has none.
 * @throws DynnError 'model/attribute' when it is there with another kind */
export function attribute<K extends keyof ValueOf>(node: Node, name: string, kind: K): ValueOf[K] | undefined {
  const found: Attribute | undefined = Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined;
  if (!found) return undefined;
  if (found.kind === kind) return found.value as ValueOf[K];
  throw new DynnError(
    "model/attribute",
    `${showNode(node)}: attribute "${name}" is of kind ${found.kind}, expected ${kind}. Export the model again.`,
    { node: node.name, attribute: name, got: found.kind, expected: kind },
  );
}

export const int = (value: number): Attribute => ({ kind: "int", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const string = (value: string): Attribute => ({ kind: "string", value });
export const tensorAttribute = (value: Tensor): Attribute => ({ kind: "tensor", value });

/** A node as error messages name it: `Conv "block1/conv"`. */
export const showNode = (node: Node): string => `${node.opType} "${node.name || (node.outputs[0] ?? "")}"`;
