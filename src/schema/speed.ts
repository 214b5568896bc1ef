/** @file How fast a network is under its policy, measured against the same network without early
 *  exits: a short form of the profile. */
import { z } from "zod";
import { spreadSchema } from "./profile-record.js";
import { steadinessSchema } from "./steadiness.js";

const size = z.number().int().min(1);

export const speedsSchema = z.object({
  images: size.describe("number of images that were timed"),
  rounds: size,
  batches: z
    .array(
      z.object({
        batch: size,
        speedUp: spreadSchema.describe("time of the network without early exits divided by the time under the policy"),
        msPerImage: spreadSchema.describe("milliseconds per image under the policy, when all images are available"),
      }),
    )
    .min(1),
  steadiness: steadinessSchema.optional(),
});

/** The measured speed of a network under its policy. */
export type Speeds = z.infer<typeof speedsSchema>;
