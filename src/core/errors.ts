/** @file The one error class of dynn, and the list of every code it may carry.
 *  A message reads `where: what is wrong, got, expected. What to do. [code]`; `detail` holds the same facts as data.
 *  Read by: every room. */

/** Every error code with the exit status that the command gives it: 2 when the call was wrong, 1 when the work failed. */
export const ERROR_CODES = {
  "cli/usage": 2,
  "cli/value": 2,
  "cli/conflict": 2,
  "file/missing": 2,
  "file/unreadable": 2,
  "file/unwritable": 2,
  "file/full": 1,
  "model/parse": 1,
  "model/empty": 1,
  "model/version": 1,
  "model/dtype": 1,
  "model/tensor": 1,
  "model/external": 1,
  "model/attribute": 1,
  "model/op": 1,
  "model/duplicate": 1,
  "model/dangling": 1,
  "model/cycle": 1,
  "model/order": 1,
  "model/input": 1,
  "model/classifier": 1,
  "model/metadata": 1,
  "model/limit": 1,
  "model/cut": 1,
  "shape/mismatch": 1,
  "shape/unknown": 1,
  "gradient/none": 1,
  "gradient/shape": 1,
  "runtime/load": 1,
  "runtime/run": 1,
  "policy/value": 2,
  "policy/validation": 1,
  "data/spec": 2,
  "data/missing": 2,
  "data/truncated": 1,
  "data/format": 1,
  "data/label": 1,
  "data/shape": 1,
  "data/value": 1,
  "attack/config": 2,
  "attack/unsupported": 1,
  aborted: 1,
} as const satisfies Record<string, 1 | 2>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts of an error as plain data, for programs. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** A failure that the caller can act on. An impossible state throws a plain `Error` whose text starts with `bug:`. */
export class DynnError extends Error {
  override readonly name = "DynnError";

  /**
   * @param code   one of {@link ERROR_CODES}
   * @param text   `where: what is wrong, got, expected. What to do.` without the code
   * @param detail the same facts as data
   */
  constructor(
    readonly code: ErrorCode,
    text: string,
    readonly detail: ErrorDetail = {},
    options?: { cause?: unknown },
  ) {
    super(`${text} [${code}]`, options);
  }
}

/** The text of anything thrown, for use inside another message. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
