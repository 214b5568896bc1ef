/** @file An input whose number of channels is open takes it from the first convolution. */
import { consumers, type ValueName } from "../../graph/graph.js";
import { type Adapter, isElementwise, isOp } from "./adapter.js";

/** States the number of channels that the first convolution reads. */
export const openChannels: Adapter = (graph) => {
  const [input] = graph.inputs;
  if (graph.inputs.length !== 1 || input.shape?.length !== 4 || typeof input.shape[1] === "number") return undefined;
  const readers = consumers(graph);
  const seen = new Set<ValueName>([input.name]);
  for (const value of seen)
    for (const node of readers.get(value) ?? []) {
      const weight = isOp(node, "Conv") && node.inputs[0] === value && graph.initializers.get(node.inputs[1]);
      if (weight) {
        const group = node.attributes.group?.kind === "int" ? node.attributes.group.value : 1;
        const channels = weight.dims[1] * group;
        const shape = input.shape.map((d, i) => (i === 1 ? channels : d));
        const change = `The input "${input.name}" leaves its channels open. The first convolution reads ${channels}.`;
        return { graph: { ...graph, inputs: [{ ...input, shape }], types: new Map() }, change };
      }
      if (isElementwise(node) || isOp(node, "Pad", "BatchNormalization")) seen.add(node.outputs[0]);
    }
  return undefined;
};
