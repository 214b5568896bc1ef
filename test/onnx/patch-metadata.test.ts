import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ModelProtoSchema } from "../../src/onnx/generated/onnx_pb.js";
import { patchMetadata } from "../../src/onnx/patch-metadata.js";

/** A foreign file: other producer, notes, functions: things that dynn does not keep when it writes a model. */
const foreign = toBinary(
  ModelProtoSchema,
  create(ModelProtoSchema, {
    irVersion: 9n,
    producerName: "another tool",
    docString: "notes",
    metadataProps: [
      { key: "author", value: "someone" },
      { key: "dynn.policy", value: "old" },
    ],
    graph: { name: "g", docString: "more notes", node: [{ opType: "Relu", input: ["x"], output: ["y"] }] },
  }),
);
const read = (bytes: Uint8Array) => fromBinary(ModelProtoSchema, bytes);

describe("patched metadata", () => {
  test("replace the entry of their key and leave everything else as it was", () => {
    const before = read(foreign);
    const after = read(patchMetadata(foreign, new Map([["dynn.policy", "new ö"]])));
    expect(after.metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ["author", "someone"],
      ["dynn.policy", "new ö"],
    ]);
    expect({ ...after, metadataProps: [] }).toEqual({ ...before, metadataProps: [] });
  });

  test("keep the bytes of all other fields, in their order", () => {
    const patched = patchMetadata(foreign, new Map([["dynn.policy", "new"]]));
    const bare = patchMetadata(patched, new Map());
    expect(bare).toEqual(patched);
    const entry = (text: string) => new TextEncoder().encode(text).length;
    expect(patched.length).toBe(foreign.length + entry("new") - entry("old"));
    // Patched twice is patched once.
    expect(patchMetadata(patched, new Map([["dynn.policy", "new"]]))).toEqual(patched);
  });

  test("are refused on bytes that are no message", () => {
    expect(() => patchMetadata(Uint8Array.of(0xff), new Map())).toThrow(/not an ONNX model: .*\[model\/parse\]$/);
  });
});
