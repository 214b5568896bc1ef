/** @file The table of methods. Attack files, the list of attacks and the documentation are made
 *  from it. A new method is one file and one line here. */

import { adamTanh } from "./adam-tanh.js";
import { nes, spsa } from "./estimated.js";
import { hopskipjump } from "./hopskipjump.js";
import type { MethodDef } from "./method.js";
import { fgsm, pgd } from "./pgd.js";
import { classUniversal, universalPgd } from "./universal-pgd.js";

/** All methods, by name. */
export const METHODS = {
  fgsm,
  pgd,
  "adam-tanh": adamTanh,
  hopskipjump,
  "universal-pgd": universalPgd,
  "class-universal": classUniversal,
  nes,
  spsa,
} as const satisfies Readonly<Record<string, MethodDef>>;

/** The name of a method. */
export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as MethodName[];
