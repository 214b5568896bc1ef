/** @file The one error class of dynn, and the list of all error codes. A message reads `where:
 *  what is wrong, got, expected. What to do. [code]`. `detail` holds the same facts as data. */

/** The call was wrong. */
const WRONG = { exit: 2 } as const;
/** The work failed. */
const FAILED = { exit: 1 } as const;

/** Every error code with its exit status: 2 when the call was wrong, and 1 when the work failed.
 * docs/errors.md explains the codes. */
export const ERROR_CODES = {
  "cli/usage": WRONG,
  "cli/value": WRONG,
  "call/argument": WRONG,
  "call/released": WRONG,
  "file/missing": WRONG,
  "file/unreadable": WRONG,
  "file/unwritable": WRONG,
  "file/locked": FAILED,
  "file/other-run": WRONG,
  "file/full": FAILED,
  "model/parse": FAILED,
  "model/empty": FAILED,
  "model/version": FAILED,
  "model/dtype": FAILED,
  "model/tensor": FAILED,
  "model/external": FAILED,
  "model/attribute": FAILED,
  "model/op": FAILED,
  "model/duplicate": FAILED,
  "model/dangling": FAILED,
  "model/cycle": FAILED,
  "model/order": FAILED,
  "model/input": FAILED,
  "model/batch": FAILED,
  "model/classifier": FAILED,
  "model/metadata": FAILED,
  "model/gates": FAILED,
  "model/cut": FAILED,
  "exits/value": WRONG,
  "model/limit": FAILED,
  "shape/mismatch": FAILED,
  "shape/unknown": FAILED,
  "gradient/none": FAILED,
  "statistics/value": WRONG,
  "claims/data": WRONG,
  "zoo/unknown": WRONG,
  "zoo/missing": WRONG,
  "zoo/damaged": FAILED,
  "zoo/index": FAILED,
  "zoo/download": FAILED,
  "runtime/load": FAILED,
  "memory/batch": FAILED,
  "runtime/provider": WRONG,
  "runtime/telemetry": FAILED,
  "runtime/run": FAILED,
  "policy/value": WRONG,
  "policy/validation": FAILED,
  "study/changed": FAILED,
  "study/version": FAILED,
  "study/duckdb": FAILED,
  "study/sql": WRONG,
  "study/aside": FAILED,
  "study/value": WRONG,
  "study/worker": FAILED,
  "store/damaged": FAILED,
  "store/unreachable": FAILED,
  "data/spec": WRONG,
  "data/missing": WRONG,
  "data/truncated": FAILED,
  "data/format": FAILED,
  "data/label": FAILED,
  "data/shape": FAILED,
  "data/value": FAILED,
  "data/worker": FAILED,
  "training/config": WRONG,
  "training/diverged": FAILED,
  "checkpoint/format": FAILED,
  "checkpoint/mismatch": WRONG,
  "training/unfinished": WRONG,
  "transfer/mismatch": WRONG,
  "export/unsupported": FAILED,
  "export/mismatch": FAILED,
  "bundle/format": FAILED,
  "bundle/damaged": FAILED,
  "wire/format": FAILED,
  "wire/bundle": FAILED,
  "wire/limit": FAILED,
  "wire/value": FAILED,
  "serve/config": WRONG,
  "serve/listen": FAILED,
  "serve/token": FAILED,
  "serve/request": FAILED,
  "serve/busy": FAILED,
  "serve/failed": FAILED,
  "serve/unreachable": FAILED,
  "serve/refused": FAILED,
  "attack/config": WRONG,
  "attack/start": FAILED,
  "attack/unsupported": FAILED,
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
