/** @file The reference networks of test/fixtures/reference, their gradient graphs and expected answers (PyTorch, float64). */
import { modelGradient } from "../../src/autodiff/model-gradient.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { readNpy } from "../../src/data/npy.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { readModel } from "../../src/onnx/read.js";
import { opTable } from "../../src/ops/table.js";
import { referenceFile } from "./reference-cases.js";

/** Images whose gradient float32 may not decide. mobilenet_v2, image 1: the input of one ReLU6 is -3.3e-7 in float64, and rounding
 *  on the way there (about 1e-6) puts it on either side of the kink; ONNX Runtime gives -7.3e-7 without and +2.8e-7 with its
 *  layout pass. reference-networks.slow.test.ts checks that image on the reference kernels. */
export const UNDECIDED: Readonly<Record<string, readonly number[]>> = { mobilenet_v2: [1] };

const array = (name: string, file: string): Tensor => readNpy(referenceFile(`gradients/${name}/${file}.npy`), file);

export interface ReferenceNetwork {
  /** As the file has it. */
  readonly source: Graph;
  /** Outputs: logits, loss per image, gradient of the input. */
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly logits: { readonly name: ValueName; readonly expected: Tensor };
  readonly gradient: { readonly name: ValueName; readonly expected: Tensor };
}

/** Read a network and build the graph of its cross-entropy's gradient. */
export function referenceNetwork(name: string): ReferenceNetwork {
  const source = readModel(referenceFile(`gradients/${name}/model.onnx`)).graph;
  const { graph, gradient } = modelGradient(source, opTable, { loss: "cross-entropy" });
  const [x, y] = [array(name, "x"), array(name, "y")];
  return {
    source,
    graph,
    feeds: {
      [graph.inputs[0].name]: fromNumbers("float32", x.dims, toNumbers(x)),
      labels: fromNumbers("int64", y.dims, toNumbers(y)),
    },
    logits: { name: source.outputs[0].name, expected: array(name, "logits") },
    gradient: { name: gradient, expected: array(name, "grad") },
  };
}
