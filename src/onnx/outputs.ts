/** @file Outputs of a file that dynn trims on reading: an output that is listed twice, and a ZipMap
 *  at the end, which makes a list of maps from a table of numbers. */
import { create } from "@bufbuild/protobuf";
import { type GraphProto, type ValueInfoProto, ValueInfoProtoSchema } from "./generated/onnx_pb.js";

/** A graph with outputs that are tensors, each listed once. */
export interface TrimmedOutputs {
  readonly graph: GraphProto;
  /** One sentence for each change. */
  readonly changes: readonly string[];
}

/** Lists every output once, and ends before each ZipMap. */
export function trimOutputs(graph: GraphProto): TrimmedOutputs {
  const zips = new Map(
    graph.node.flatMap((node) =>
      node.opType === "ZipMap" && node.domain === "ai.onnx.ml" ? [[node.output[0], node] as const] : [],
    ),
  );
  const changes: string[] = [];
  const output = new Map<string, ValueInfoProto>();
  for (const info of graph.output) {
    const zip = zips.get(info.name);
    const name = zip?.input[0] ?? info.name;
    if (zip) changes.push(`The output "${info.name}" is a ZipMap. dynn takes "${name}", which the ZipMap reads.`);
    else if (output.has(name)) changes.push(`The output "${name}" is listed twice. dynn takes it once.`);
    if (!output.has(name)) output.set(name, zip ? tensorNamed(name) : info);
  }
  if (changes.length === 0) return { graph, changes };
  return {
    graph: { ...graph, node: graph.node.filter((node) => !zips.has(node.output[0])), output: [...output.values()] },
    changes,
  };
}

/** A float32 output of unknown shape, which inference replaces. */
const tensorNamed = (name: string): ValueInfoProto =>
  create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: { elemType: 1 } } } });
