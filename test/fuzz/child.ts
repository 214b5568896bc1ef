/** @file The process that meets the hostile input: it may crash, hang or fill its memory, and its parent will know which input did it.
 *  Messages in: {@link Order}; out: {@link Answer}. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { furnish, STAGE_FILE } from "./beside.js";
import { type Case, makeCase } from "./mutate.js";
import { type Probed, probe, type Verdict } from "./probe.js";

/** A case by its number, or a file. */
export type Order = { readonly sessions: boolean } & (
  | { readonly seed: number; readonly index: number; readonly keep?: readonly number[] }
  | { readonly file: string }
);

export interface Answer {
  /** What each stage said, or what was thrown that is no DynnError. */
  readonly verdict: Verdict;
  readonly thrown: string | undefined;
  /** How the input was made. */
  readonly way: string;
  readonly bytes: number;
  readonly slowest: Probed["slowest"];
  /** How much the largest memory of this process grew, and what it is. */
  readonly grownBytes: number;
  readonly peakBytes: number;
}

/** The model's own folder, and what lies around it. */
const [, , FOLDER = "."] = process.argv;
furnish(FOLDER);
const MODEL = join(FOLDER, "model", "model.onnx");
const STAGE = join(FOLDER, STAGE_FILE);

function caseOf(order: Order): Case & { readonly path?: string } {
  if ("file" in order)
    return { way: "file", edits: [], bytes: new Uint8Array(readFileSync(order.file)), path: order.file };
  const { keep } = order;
  const made = makeCase(order.seed, order.index, keep ? (edit) => keep.includes(edit) : undefined);
  if (made.escapes === undefined) return made;
  writeFileSync(MODEL, made.bytes);
  return { ...made, path: MODEL };
}

const ESCAPED = "data from outside the model's folder were read";
const peak = (): number => process.resourceUsage().maxRSS * 1024;

async function answer(order: Order): Promise<Answer> {
  const { bytes, way, escapes, path } = caseOf(order);
  const before = peak();
  const begins = (stage: string) => writeFileSync(STAGE, stage);
  const outcome = await probe(bytes, { sessions: order.sessions, path, begins }).then(
    (probed) => ({ ...probed, thrown: escapes && probed.verdict.load === "ok" ? ESCAPED : undefined }),
    (error: unknown) => ({ verdict: {}, slowest: { stage: "", ms: 0 }, thrown: showThrown(error) }),
  );
  return { ...outcome, way, bytes: bytes.length, grownBytes: peak() - before, peakBytes: peak() };
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

// Ctrl-C is for the parent, which ends this process.
process.on("SIGINT", () => {});
process.on("message", (order: Order) => void answer(order).then((reply) => process.send?.(reply)));
process.send?.("ready");
