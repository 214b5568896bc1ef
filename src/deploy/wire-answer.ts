/** @file The server's answer as JSON: one answer per sample, or a code and a message. */
import { z } from "zod";
import { DynnError } from "../core/errors.js";
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
export function readReply(text: string, { exits, classes }: Manifest, samples: number): Reply {
  const below = (count: number) => z.number().int().min(0).lt(count);
  const answer = z.object({
    stop: below(exits.length),
    answer: below(exits.length),
    label: below(classes.count),
    confidence: z.number(),
  });
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

const problem = z.object({ code: z.string(), message: z.string() });

/** The message of a refusal. */
export function readProblem(text: string): string {
  const parsed = problem.safeParse(parseJson(text));
  return parsed.success ? parsed.data.message : "no reason given";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
