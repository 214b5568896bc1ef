/** @file Inputs of bytes and of 16-bit and 64-bit floats are read as float32 pixels. */
import { describe, expect, test } from "vitest";
import { ONNX_CODE } from "../../../src/core/dtype.js";
import { fromNumbers, type Tensor, toNumbers } from "../../../src/core/tensor.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { int } from "../../../src/graph/attributes.js";
import type { GraphBuilder } from "../../../src/graph/builder.js";
import type { ValueName } from "../../../src/graph/graph.js";
import { failure } from "../../support/failure.js";
import { answerOf, caseModel, drawn, logitsOf, pixels, toLast, weights } from "./support.js";

const bytesOf = (x: Tensor): Tensor =>
  fromNumbers(
    "uint8",
    x.dims,
    [...toNumbers(x)].map((v) => Math.round(v * 255)),
  );
const as = (dtype: "float16" | "float64", x: Tensor): Tensor => fromNumbers(dtype, x.dims, toNumbers(x));

function close(got: readonly number[], expected: readonly number[], digits: number): void {
  expect(got).toHaveLength(expected.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i], digits);
  });
}

const linear = (b: GraphBuilder, x: ValueName): void =>
  b.output(b.op("MatMul", [b.op("Flatten", [x]), b.constant(weights(48, 4))]), "float32", undefined);
const cast = (b: GraphBuilder, x: ValueName): ValueName => b.op("Cast", [x], { to: int(ONNX_CODE.float32) });

describe("the case of a stranger", () => {
  const x = pixels(2, 3, 32, 32);

  test("uint8 pixels: the answers of the file for the same 8-bit images", () => {
    const source = caseModel("16-float16-uint8/uint8_nchw.onnx");
    const model = dynamicModel(source);
    close(logitsOf(model, x), answerOf(source.graph, bytesOf(x)), 4);
    expect(model.changes).toEqual([
      'The input "image" is uint8. dynn takes pixels in [0,1], multiplies them by 255 inside, and does not round them to whole numbers.',
    ]);
  });

  test.each(["fp16", "fp16_keepio"])("%s: the answers of the file, up to rounding to 16 bits", (name) => {
    const source = caseModel(`16-float16-uint8/${name}.onnx`);
    const model = dynamicModel(source);
    const fed = name === "fp16" ? as("float16", x) : x;
    close(logitsOf(model, x), answerOf(source.graph, fed), 2);
    expect(model.changes).toEqual([
      "The file computes in float16. dynn computes in float32, so logits may differ by rounding.",
    ]);
    expect([...model.graph.types.values()].every(({ dtype }) => dtype !== "float16")).toBe(true);
  });
});

describe("other forms", () => {
  test("float64 in and out", () => {
    const source = drawn((b) => {
      const flat = b.op("Flatten", [b.input("x", "float64", ["batch", 3, 4, 4])]);
      const w = fromNumbers("float64", [48, 4], toNumbers(weights(48, 4)));
      b.output(b.op("MatMul", [flat, b.constant(w)]), "float64", undefined);
    });
    const x = pixels(2, 3, 4, 4);
    close(logitsOf(dynamicModel(source), x), answerOf(source.graph, as("float64", x)), 5);
  });

  test("bytes, channels last", () => {
    const source = drawn((b) => linear(b, cast(b, b.input("x", "uint8", ["batch", 8, 6, 1]))));
    const x = pixels(2, 1, 8, 6);
    close(logitsOf(dynamicModel(source), x), answerOf(source.graph, bytesOf(toLast(x))), 3);
  });

  test("bytes that DequantizeLinear scales", () => {
    const source = drawn((b) => {
      const scale = b.constant(fromNumbers("float32", [], [0.02]));
      const zero = b.constant(fromNumbers("uint8", [], [128]));
      linear(b, b.op("DequantizeLinear", [b.input("x", "uint8", ["batch", 3, 4, 4]), scale, zero]));
    });
    const x = pixels(2, 3, 4, 4);
    close(logitsOf(dynamicModel(source), x), answerOf(source.graph, bytesOf(x)), 4);
  });

  test("a model that computes with bytes is refused, and the node is named", () => {
    const source = drawn((b) => linear(b, cast(b, b.op("Add", ["x", b.input("x", "uint8", ["batch", 3, 4, 4])]))));
    expect(() => dynamicModel(source)).toThrow(
      failure(
        "model/input",
        'net: input "x" is uint8, and Add "add" computes with the bytes. dynn reads uint8 inputs that a Cast or DequantizeLinear turns into floats first. Give the model with a float32 input.',
      ),
    );
  });
});
