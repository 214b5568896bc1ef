/** @file The process that meets the hostile input: it may crash, hang or fill its memory, and its parent will know which input did it.
 *  Messages in: {@link Order}; out: {@link Answer}. */
import { readFileSync } from "node:fs";
import { makeCase } from "./mutate.js";
import { probe, type Verdict } from "./probe.js";

/** A case by its number, or a file. */
export type Order = { readonly sessions: boolean } & (
  | { readonly seed: number; readonly index: number; readonly keep?: readonly number[] }
  | { readonly file: string }
);

export interface Answer {
  /** What each stage said, or what was thrown that is no DynnError. */
  readonly verdict: Verdict;
  readonly thrown: string | undefined;
  readonly bytes: number;
  /** Processor time of the slowest stage. */
  readonly slowestMs: number;
  /** How much the largest memory of this process grew. */
  readonly grownBytes: number;
}

const bytesOf = (order: Order): Uint8Array => {
  if ("file" in order) return new Uint8Array(readFileSync(order.file));
  const { keep } = order;
  return makeCase(order.seed, order.index, keep ? (edit) => keep.includes(edit) : undefined).bytes;
};

const peak = (): number => process.resourceUsage().maxRSS * 1024;

async function answer(order: Order): Promise<Answer> {
  const bytes = bytesOf(order);
  const before = peak();
  const outcome = await probe(bytes, order.sessions, "file" in order ? order.file : undefined).then(
    (probed) => ({ ...probed, thrown: undefined }),
    (error: unknown) => ({ verdict: {}, slowestMs: 0, thrown: showThrown(error) }),
  );
  return { ...outcome, bytes: bytes.length, grownBytes: peak() - before };
}

/** The message and where in dynn it was thrown. */
function showThrown(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const stack = cause instanceof Error ? (cause.stack ?? "") : "";
  const place = stack
    .split("\n")
    .find((line) => line.includes("/src/"))
    ?.replace(/^.*\/src\//, "src/")
    .replace(/\)$/, "");
  return `${String(error).slice(0, 300)} at ${place ?? "?"}`;
}

process.on("message", (order: Order) => void answer(order).then((reply) => process.send?.(reply)));
process.send?.("ready");
