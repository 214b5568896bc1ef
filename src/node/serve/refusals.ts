/** @file From what went wrong to an HTTP status and a body {code, message}. */
import { createHash, timingSafeEqual } from "node:crypto";
import { DynnError, type ErrorCode } from "../../core/errors.js";

/** Statuses of what a client can do something about; all else is the server's own failure. */
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

/** What a client is told of an error. Of failures that are none of its business it learns nothing else. */
export function refusalOf(error: unknown): Refusal {
  const known = error instanceof DynnError ? error : ofFramework(error);
  const status = known && (known.detail.status ?? STATUS[known.code]);
  if (known && typeof status === "number") return { status, body: { code: known.code, message: known.message } };
  const { code, message } = new DynnError("serve/failed", "server: failed in a way it should not. Ask who runs it.");
  return { status: 500, body: { code, message } };
}

/** What the web framework refused, in our words. */
function ofFramework(error: unknown): DynnError | undefined {
  const { code, statusCode: status } = error as { readonly code?: string; readonly statusCode?: number };
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return new DynnError(
      "wire/limit",
      "request: its body is larger than this server takes. Send fewer samples at a time, or raise the server's --max-body.",
    );
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return new DynnError(
      "serve/request",
      "request: its media type is not accepted. Send the body as application/octet-stream.",
      { status },
    );
  if (status === undefined || status < 400 || status >= 500) return undefined;
  return new DynnError("serve/request", "request: is no proper one. Send what docs/serving.md describes.", { status });
}

export const unknownPath = (method: string, path: string): DynnError =>
  new DynnError(
    "serve/request",
    `${method} ${path}: is not here. This server has POST /classify, GET /health and GET /metrics.`,
    { method, path },
  );

export const busy = (why: string): DynnError =>
  new DynnError("serve/busy", `server: ${why}. Ask again after the time in Retry-After.`, { why });

/** Compare what a client presents with the token, in a time that does not tell how much of it was right.
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

const REASONS: Readonly<Record<number, string>> = { 400: "Bad Request", 408: "Request Timeout" };

/** The whole answer to a connection whose bytes are no HTTP, or come too slowly. */
export function rawRefusal(error: NodeJS.ErrnoException): string {
  const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const status = late ? 408 : 400;
  const { code, message } = late
    ? busy("the request did not arrive in time")
    : new DynnError("serve/request", "request: is no proper HTTP. Send what docs/serving.md describes.");
  const body = JSON.stringify({ code, message });
  return `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
