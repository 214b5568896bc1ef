import { fromBinary, isMessage, type Message } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ModelProtoSchema } from "../../src/onnx/generated/onnx_pb.js";
import { passedLimit } from "../../src/onnx/scan.js";
import { makeCase } from "../fuzz/mutate.js";
import { SEEDS } from "../fuzz/seeds.js";
import { modelBytes } from "./protos.js";

const NO_LIMIT = { decodedBytes: Number.POSITIVE_INFINITY, depth: 100, nodes: Number.POSITIVE_INFINITY };
const MESSAGE_COST = 640;

const passed = (bytes: Uint8Array, decodedBytes: number) =>
  passedLimit(ModelProtoSchema, bytes, { ...NO_LIMIT, decodedBytes });

/** Messages in a message, itself included. */
const messagesIn = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + messagesIn(entry), 0);
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return 0;
  const inside = Object.values(value).reduce<number>((sum, entry) => sum + messagesIn(entry), 0);
  return inside + (isMessage(value as Message) ? 1 : 0);
};

function decoded(bytes: Uint8Array): unknown {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch {
    return undefined;
  }
}

describe("looking over the bytes of a message", () => {
  test("counts every message that the decoder makes, and lets whole models pass", () => {
    for (const bytes of SEEDS) {
      expect(passed(bytes, MESSAGE_COST * messagesIn(decoded(bytes)) - 1)).toBe("decodedBytes");
      expect(passed(bytes, Number.POSITIVE_INFINITY)).toBeUndefined();
    }
  });

  test("counts no fewer in damaged bytes, wherever the decoder still reads them", () => {
    let read = 0;
    for (let index = 0; index < 600; index++) {
      const { bytes } = makeCase(5, index);
      const model = decoded(bytes);
      if (!model) continue;
      read++;
      expect(passed(bytes, MESSAGE_COST * messagesIn(model) - 1), `case ${index}`).toBe("decodedBytes");
    }
    expect(read).toBeGreaterThan(100);
  });

  test.each<[string, readonly number[]]>([
    ["an unknown group", [((99 << 3) & 0x7f) | 0x80 | 3, 99 >> 4, ((99 << 3) & 0x7f) | 0x80 | 4, 99 >> 4]],
    ["a length whose upper bits the decoder drops", [(15 << 3) | 2, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ["a text field written as a varint", [(2 << 3) | 0, 1, 120]],
  ])("is not ended by %s", (_, head) => {
    const bytes = Uint8Array.from([...head, ...modelBytes()]);
    if (decoded(bytes)) expect(passed(bytes, MESSAGE_COST)).toBe("decodedBytes");
    else expect(passed(bytes, MESSAGE_COST)).toBeDefined();
  });

  test("finds nesting that is too deep", () => {
    const deep = Array.from({ length: 40 }).reduce<Uint8Array>(
      (inner) => Uint8Array.from([(7 << 3) | 2, ...varint(inner.length), ...inner]),
      new Uint8Array(),
    );
    expect(passedLimit(ModelProtoSchema, deep, { ...NO_LIMIT, depth: 2 })).toBeUndefined();
    expect(passedLimit(ModelProtoSchema, modelBytes(), { ...NO_LIMIT, depth: 2 })).toBe("depth");
  });
});

function varint(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)];
}
