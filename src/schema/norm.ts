/** @file The norms that limit a perturbation. A radius has no meaning without its norm. */
import { z } from "zod";

/** The names of all norms. */
export const NORM_NAMES = ["linf", "l2", "l1", "l0"] as const;
/** The name of a norm. */
export type Norm = (typeof NORM_NAMES)[number];
/** The norms in which a batch of images can step as graph nodes, for adversarial training. */
export const STEPPED_NORMS = ["linf", "l2"] as const;
export type SteppedNorm = (typeof STEPPED_NORMS)[number];
export const normSchema = z.enum(NORM_NAMES);
