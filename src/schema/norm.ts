/** @file The norms that limit a perturbation. A radius has no meaning without its norm. */
import { z } from "zod";

/** The names of all norms. */
export const NORM_NAMES = ["linf", "l2"] as const;
/** The name of a norm. */
export type Norm = (typeof NORM_NAMES)[number];
export const normSchema = z.enum(NORM_NAMES);
