import { describe, expect, test } from "vitest";
import { DynnError, ERROR_CODES, reasonOf } from "../../src/core/errors.js";

describe("DynnError", () => {
  test("ends its message with the code and keeps facts and cause", () => {
    const cause = new Error("disk");
    const error = new DynnError(
      "file/missing",
      "a.onnx: there is no such file. Check the path.",
      { path: "a" },
      { cause },
    );
    expect(error.message).toBe("a.onnx: there is no such file. Check the path. [file/missing]");
    expect(error).toMatchObject({ name: "DynnError", code: "file/missing", detail: { path: "a" }, cause });
    expect(error).toBeInstanceOf(Error);
    expect(new DynnError("model/empty", "nothing.").detail).toEqual({});
  });

  test("a wrong call exits with 2, failed work on a model with 1", () => {
    const exits = (prefix: string) =>
      new Set(Object.entries(ERROR_CODES).flatMap(([code, { exit }]) => (code.startsWith(prefix) ? [exit] : [])));
    expect(exits("cli/")).toEqual(new Set([2]));
    expect(exits("model/")).toEqual(new Set([1]));
  });
});

test("the reason of anything thrown is text", () => {
  expect(reasonOf(new Error("why"))).toBe("why");
  expect(reasonOf("just text")).toBe("just text");
  expect(reasonOf(undefined)).toBe("undefined");
});
