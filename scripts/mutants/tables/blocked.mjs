/** @file Mutants of the rewrite to the blocked layout. */
const FILL_TEST = "test/runtime/fill.test.ts";
const MASK_TEST = "test/runtime/blocked-inference.test.ts";

export const BLOCKED = [
  {
    name: "blocked/fill-depthwise-alone",
    find: "if (axes?.depthwise || isChannelwise(graph, node, images)) sets.join(images);",
    replace: "if (isChannelwise(graph, node, images)) sets.join(images);",
    test: FILL_TEST,
    killedBy: "with a depthwise convolution whose images it returns",
  },
  {
    name: "blocked/fill-what-is-returned",
    find: "for (const { name } of [...graph.inputs, ...graph.outputs]) sets.refuse(name);",
    replace: "for (const { name } of graph.inputs) sets.refuse(name);",
    test: FILL_TEST,
    killedBy: "with images that it returns",
  },
  {
    name: "blocked/fill-forgets-refusals",
    find: "if (this.#refused.has(b)) this.#refused.add(a);",
    replace: "",
    test: FILL_TEST,
    killedBy: "with a sum of images, one of which was read as a shape before",
  },
  {
    name: "blocked/fill-rows-for-columns",
    find: "return { input: isConv ? 1 : 0, output: isConv ? 0 : 1, depthwise: false };",
    replace: "return { input: 1, output: 0, depthwise: false };",
    test: FILL_TEST,
    killedBy: "into a transposed convolution",
  },
  {
    name: "blocked/mask-without-distance",
    find: '{ ...cast, opType: "Abs", inputs: [excess], outputs: [distance], attributes: {} }',
    replace: '{ ...cast, opType: "Identity", inputs: [excess], outputs: [distance], attributes: {} }',
    test: MASK_TEST,
    killedBy: "pass both bounds and no number beside them",
  },
  {
    name: "blocked/mask-of-open-bounds",
    find: "if (!isFloat(graph, asked.inputs[0]) || !isBounded(graph, clip)) return undefined;",
    replace: "if (!isFloat(graph, asked.inputs[0])) return undefined;",
    test: MASK_TEST,
    killedBy: "an open bound",
  },
  {
    name: "blocked/outputs-of-if-plain",
    find: 'opType === "If" &&',
    replace: 'opType === "Loop" &&',
    test: MASK_TEST,
    killedBy: "no image changes its layout around the blocks of gates",
  },
];
