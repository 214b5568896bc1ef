/** @file The server's answer as JSON: one answer per sample, or a code and a message. */
import { z } from "zod";
import { DynnError } from "../core/errors.js";
import { visibleLine } from "../core/visible.js";
import type { GateBit } from "../dynamic/model/units.js";
import { confidenceRange } from "../dynamic/route/policy.js";
import type { Routed } from "../dynamic/route/route.js";
import type { Manifest } from "./manifest.js";

/** Answers to one request. */
export interface Reply {
  /** One answer per sample, in the order of the request. */
  readonly answers: readonly Routed[];
  /** Milliseconds in the server, with the wait for other requests. */
  readonly ms: number;
}

/** Answers with names beside the numbers, for people and for devices without dynn. */
export const showReply = ({ answers, ms }: Reply, { exits, classes }: Manifest) => ({
  answers: answers.map((answer) => ({
    ...answer,
    class: classes.names?.[answer.label] ?? null,
    exit: exits[answer.answer]?.name,
  })),
  ms,
});

/** Read a reply.
 * @param samples the number of samples that were sent
 * @throws DynnError 'wire/format' when the text is not a reply to these samples */
export function readReply(text: string, { exits, gates = [], classes, policy }: Manifest, samples: number): Reply {
  const [low, high] = confidenceRange(policy.rule, classes.count);
  const below = (count: number) => z.number().int().min(0).lt(count);
  const answer = z
    .object({
      stop: below(exits.length),
      answer: below(exits.length),
      label: below(classes.count),
      confidence: z.number().min(low).max(high),
      gates: z.array(bit).optional(),
    })
    .refine((one) => (one.gates?.length ?? 0) === gates.length, { error: `expected ${gates.length} bits of gates` });
  const parsed = z
    .object({ answers: z.array(answer).length(samples), ms: z.number().min(0) })
    .safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DynnError(
    "wire/format",
    `reply: at "${issue?.path.join(".")}": ${issue?.message}. Check that \`dynn serve\` runs at this address.`,
    { samples },
  );
}

/** A bit. JSON has null for a gate behind the exit taken. */
const bit = z
  .union([z.literal(0), z.literal(1)])
  .nullable()
  .transform((value): GateBit => value ?? undefined);

const problem = z.object({ code: z.string(), message: z.string() });

/** The message of a refusal, in one line without control characters. The text comes from outside
 * and goes to a terminal. */
export function readProblem(text: string): string {
  const parsed = problem.safeParse(parseJson(text));
  return parsed.success ? visibleLine(parsed.data.message) : "no reason given";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
