/** @file Errors as plain data, for messages between threads and processes. */
import { DynnError, type ErrorCode, type ErrorDetail, reasonOf } from "../core/errors.js";

/** An error as plain data: a thread boundary keeps neither the class nor the code. */
export interface Failure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly detail: ErrorDetail;
}

/** Takes an error apart. */
export function toFailure(thrown: unknown): Failure {
  if (!(thrown instanceof DynnError)) return { code: undefined, message: reasonOf(thrown), detail: {} };
  return { code: thrown.code, message: thrown.message, detail: thrown.detail };
}

/** The error that {@link toFailure} took apart. Its constructor adds the code to the text again. */
export function fromFailure({ code, message, detail }: Failure): Error {
  if (code === undefined) return new Error(message);
  return new DynnError(code, message.slice(0, -` [${code}]`.length), detail);
}
