/** @file How a test names a typed failure: its code and its exact text. */
import { expect } from "vitest";
import type { ErrorCode } from "../../src/core/errors.js";

/** For `toThrow` and `rejects.toThrow`.
 * @param text the message without the code at its end */
export const failure = (code: ErrorCode, text: string): unknown =>
  expect.objectContaining({ name: "DynnError", code, message: `${text} [${code}]` });
