/** @file How a test names a typed failure: its code and its exact text. */
import { expect } from "vitest";
import { DynnError, type ErrorCode } from "../../src/core/errors.js";

/** For `toThrow` and `rejects.toThrow`.
 * @param text the message without the code at its end */
export const failure = (code: ErrorCode, text: string): unknown =>
  expect.objectContaining({ name: "DynnError", code, message: `${text} [${code}]` });

/** The typed failure of a call.
 * @throws Error when the call does not fail so */
export function failureOf(run: () => unknown): DynnError {
  try {
    run();
  } catch (error) {
    if (error instanceof DynnError) return error;
    throw error;
  }
  throw new Error("the call did not fail");
}
