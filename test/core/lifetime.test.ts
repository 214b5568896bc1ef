import { expect, test } from "vitest";
import { checkFloats, checkGiven } from "../../src/core/given.js";
import { Lifetime } from "../../src/core/lifetime.js";
import { failure } from "../support/failure.js";

test("memory is freed once, and every call of release waits for it", async () => {
  let freed = 0;
  const life = new Lifetime("the executor", async () => void freed++);
  life.check();
  await Promise.all([life.release(), life.release()]);
  await life.release();
  expect(freed).toBe(1);
  expect(() => life.check()).toThrow(
    failure(
      "call/released",
      "the executor: was released, so it does no more work. Call release when the last call has ended, or make another one.",
    ),
  );
});

test.each([
  [undefined, "model is undefined. `await load(...)` returns one."],
  [null, "model is null. `await load(...)` returns one."],
  ["model.onnx", "model is a string. `await load(...)` returns one."],
  [Promise.resolve(), "model is a Promise. Write await in front of it."],
  [{ path: "m" }, "model is an object with path. `await load(...)` returns one."],
])("%s is no model", (model, text) => {
  expect(() => checkGiven("createExecutor", { model })).toThrow(failure("call/argument", `createExecutor: ${text}`));
});

test("an argument with the properties of its kind passes", () => {
  checkGiven("f", { model: { input: {} }, backend: { compile: 1 }, options: {} });
});

test("pixels are float32", () => {
  checkFloats("classify", new Float32Array(1));
  expect(() => checkFloats("classify", new Uint8Array(1))).toThrow(
    "images are a Uint8Array, expected float32. Divide the bytes by 255",
  );
  expect(() => checkFloats("classify", [0.5])).toThrow("images are a Array, expected float32. Give a Float32Array");
  expect(() => checkFloats("classify", Promise.resolve())).toThrow("Write await in front of it");
});
