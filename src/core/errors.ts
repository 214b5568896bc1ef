/** @file The one error class of dynn, and the list of all error codes. A message reads `where:
 *  what is wrong, got, expected. What to do. [code]`. `detail` holds the same facts as data. */

/** Every error code with its exit status: 2 when the call was wrong, and 1 when the work failed.
 * docs/errors.md explains the codes. */
export const ERROR_CODES = {
  "cli/usage": { exit: 2 },
  "cli/value": { exit: 2 },
  "file/missing": { exit: 2 },
  "file/unreadable": { exit: 2 },
  "file/unwritable": { exit: 2 },
  "file/locked": { exit: 1 },
  "file/full": { exit: 1 },
  "model/parse": { exit: 1 },
  "model/empty": { exit: 1 },
  "model/version": { exit: 1 },
  "model/dtype": { exit: 1 },
  "model/tensor": { exit: 1 },
  "model/external": { exit: 1 },
  "model/attribute": { exit: 1 },
  "model/op": { exit: 1 },
  "model/duplicate": { exit: 1 },
  "model/dangling": { exit: 1 },
  "model/cycle": { exit: 1 },
  "model/order": { exit: 1 },
  "model/input": { exit: 1 },
  "model/batch": { exit: 1 },
  "model/classifier": { exit: 1 },
  "model/metadata": { exit: 1 },
  "model/cut": { exit: 1 },
  "exits/value": { exit: 2 },
  "model/limit": { exit: 1 },
  "shape/mismatch": { exit: 1 },
  "shape/unknown": { exit: 1 },
  "gradient/none": { exit: 1 },
  "statistics/value": { exit: 2 },
  "claims/data": { exit: 2 },
  "zoo/unknown": { exit: 2 },
  "zoo/missing": { exit: 2 },
  "zoo/damaged": { exit: 1 },
  "zoo/index": { exit: 1 },
  "zoo/download": { exit: 1 },
  "runtime/load": { exit: 1 },
  "memory/batch": { exit: 1 },
  "runtime/provider": { exit: 2 },
  "runtime/telemetry": { exit: 1 },
  "runtime/run": { exit: 1 },
  "policy/value": { exit: 2 },
  "policy/validation": { exit: 1 },
  "study/changed": { exit: 1 },
  "study/version": { exit: 1 },
  "study/duckdb": { exit: 1 },
  "study/sql": { exit: 2 },
  "study/aside": { exit: 1 },
  "study/value": { exit: 2 },
  "study/worker": { exit: 1 },
  "store/damaged": { exit: 1 },
  "store/unreachable": { exit: 1 },
  "data/spec": { exit: 2 },
  "data/missing": { exit: 2 },
  "data/truncated": { exit: 1 },
  "data/format": { exit: 1 },
  "data/label": { exit: 1 },
  "data/shape": { exit: 1 },
  "data/value": { exit: 1 },
  "data/worker": { exit: 1 },
  "training/config": { exit: 2 },
  "training/diverged": { exit: 1 },
  "checkpoint/format": { exit: 1 },
  "checkpoint/mismatch": { exit: 2 },
  "training/unfinished": { exit: 2 },
  "transfer/mismatch": { exit: 2 },
  "export/unsupported": { exit: 1 },
  "export/mismatch": { exit: 1 },
  "bundle/format": { exit: 1 },
  "bundle/damaged": { exit: 1 },
  "wire/format": { exit: 1 },
  "wire/bundle": { exit: 1 },
  "wire/limit": { exit: 1 },
  "wire/value": { exit: 1 },
  "serve/config": { exit: 2 },
  "serve/listen": { exit: 1 },
  "serve/token": { exit: 1 },
  "serve/request": { exit: 1 },
  "serve/busy": { exit: 1 },
  "serve/failed": { exit: 1 },
  "serve/unreachable": { exit: 1 },
  "serve/refused": { exit: 1 },
  "attack/config": { exit: 2 },
  "attack/start": { exit: 1 },
  "attack/unsupported": { exit: 1 },
} as const satisfies Record<string, { readonly exit: 1 | 2 }>;

/** The code of a {@link DynnError}. docs/errors.md lists all codes. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts of an error as plain data, for programs. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** An error that the caller can act on. An impossible state throws a plain `Error` whose text
 * starts with `bug:`. */
export class DynnError extends Error {
  /** Tells it from other errors. */
  override readonly name = "DynnError";

  /** @param code one of {@link ERROR_CODES}
   * @param text `where: what is wrong, got, expected. What to do.` without the code
   * @param detail the same facts as data */
  constructor(
    readonly code: ErrorCode,
    text: string,
    readonly detail: ErrorDetail = {},
    options?: { cause?: unknown },
  ) {
    super(`${text} [${code}]`, options);
  }
}

/** The text of any thrown value, for use inside another message. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
