/** @file Turns an error into an HTTP status and a body {code, message}. */
import { createHash, timingSafeEqual } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { DynnError, type ErrorCode } from "../../core/errors.js";

/** Statuses of the errors that a client can correct. Every other error is the server's own failure.
 */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  "wire/format": 400,
  "wire/bundle": 409,
  "wire/limit": 413,
  "wire/value": 422,
  "serve/token": 401,
  "serve/request": 404,
  "serve/busy": 503,
};

export interface Refusal {
  readonly status: number;
  readonly body: { readonly code: ErrorCode; readonly message: string };
}

/** The part of an error that a client is told. Of the server's own failures the client learns
 * nothing else. */
export function refusalOf(error: unknown): Refusal {
  const known = error instanceof DynnError ? error : ofFramework(error);
  const status = known && (known.detail.status ?? STATUS[known.code]);
  if (known && typeof status === "number") return { status, body: { code: known.code, message: known.message } };
  const { code, message } = new DynnError(
    "serve/failed",
    "server: failed unexpectedly. Ask the operator of the server.",
  );
  return { status: 500, body: { code, message } };
}

/** Headers that a refusal needs, by its status. */
export function headersOf({ status }: Pick<Refusal, "status">): Readonly<Record<string, string>> {
  if (status === 503 || status === 408) return { "retry-after": RETRY_AFTER_SECONDS };
  return status === 401 ? { "www-authenticate": "Bearer" } : {};
}

const RETRY_AFTER_SECONDS = "1";

/** The errors of the web framework as ours. */
function ofFramework(error: unknown): DynnError | undefined {
  const { code, statusCode: status } = error as { readonly code?: string; readonly statusCode?: number };
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return new DynnError(
      "serve/request",
      "request: its media type is not accepted. Send the body as application/octet-stream.",
      { status },
    );
  if (status === undefined || status < 400 || status >= 500) return undefined;
  return improper("is not valid HTTP", status);
}

const improper = (what: string, status: number): DynnError =>
  new DynnError("serve/request", `request: ${what}. Send what docs/serving.md describes.`, { status });

export const unknownPath = (method: string, path: string): DynnError =>
  new DynnError(
    "serve/request",
    `${method} ${path}: unknown endpoint. This server has POST /classify, GET /health and GET /metrics.`,
    { method, path },
  );

export const busy = (why: string): DynnError =>
  new DynnError("serve/busy", `server: ${why}. Ask again after the time in Retry-After.`, { why });

/** The error for a body that did not come in time. */
export const late = (): DynnError =>
  new DynnError("serve/busy", "server: the request did not arrive in time. Ask again after the time in Retry-After.", {
    status: 408,
  });

export const tooLarge = (): DynnError =>
  new DynnError(
    "wire/limit",
    "request: its body is larger than this server takes. Send fewer samples at a time, or raise the server's limit maxBody.",
  );

/** The errors for a missing or impossible HTTP header. */
export const noHost = (): DynnError => improper("has no Host header", 400);
export const expectation = (): DynnError => improper("expects something other than 100-continue", 417);
export const noTunnel = (): DynnError => improper("asks for a tunnel, which this server does not support", 405);

/** The error for bytes on a connection that Node cannot parse. */
export function ofHttp({ code }: NodeJS.ErrnoException): DynnError {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return late();
  if (code === "HPE_HEADER_OVERFLOW") return improper("has headers of more than 16 KiB", 431);
  return improper("is not valid HTTP", 400);
}

/** Compare the header with the token, in a time that does not reveal how much of it was right.
 * @param header value of `Authorization`
 * @throws DynnError 'serve/token' */
export function checkToken(header: string | undefined, token: string): void {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`))) return;
  throw new DynnError(
    "serve/token",
    `request: ${header === undefined ? "has no token" : "has another token"}. Send the header Authorization: Bearer TOKEN with the server's token.`,
  );
}

/** A whole HTTP answer as text, for a connection that has no request to answer. */
export function rawAnswer(refusal: Refusal): string {
  const { status, body } = refusal;
  const text = JSON.stringify(body);
  const headers = {
    ...headersOf(refusal),
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${text}`;
}
