/** @file Writes a model that also computes the gradient of a class score with respect to its input. The result is plain ONNX:
 *  any runtime can run it.
 *  Usage: node examples/gradient-of-any-model.mjs [MODEL.onnx] [CLASS] [OUT.onnx] */
import { GraphBuilder, gradientGraph, inferShapes, load, opTable, ortNode, saveModel } from "dynn/node";

const [path = "zoo:resnet20-joint", wanted = "3", out] = process.argv.slice(2);

const { graph, input, exits } = await load(path);
const logits = exits.at(-1)?.logits ?? "";

// Append the score of one class, then everything that its gradient needs.
const b = new GraphBuilder(graph);
const score = b.op("Gather", [logits, b.scalar(Number(wanted), "int64")], { axis: { kind: "int", value: 1 } }, "score");
const withGradient = gradientGraph(inferShapes(b.build(), opTable), opTable, {
  loss: score,
  wrt: [input.name],
  names: ["gradient"],
  keep: [logits],
});

const session = await ortNode().compile(withGradient);
const dims = [2, ...input.shape.slice(1).map(Number)];
const data = new Float32Array(dims.reduce((a, d) => a * d, 1)).fill(0.5);
const results = await session.run({ [input.name]: { dtype: "float32", dims, data } });
await session.release();
for (const [name, { dtype, dims: shape }] of Object.entries(results)) console.log(`${name}: ${dtype}[${shape}]`);

if (out !== undefined) {
  await saveModel(out, { graph: withGradient });
  console.log(`wrote ${out}`);
}
