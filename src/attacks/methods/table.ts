/** @file The table of methods. Attack files, the list of attacks and the documentation are made
 *  from it. A new method is one file and one line here. */

import { adamTanh } from "./adam-tanh.js";
import { cw } from "./cw.js";
import { ddn } from "./ddn.js";
import { deepfool } from "./deepfool.js";
import { ead } from "./ead.js";
import { fmn } from "./fmn.js";
import { jsma } from "./jsma.js";
import type { MethodDef } from "./method.js";
import { onePixel } from "./one-pixel.js";
import { fgsm, pgd } from "./pgd.js";
import { pixle } from "./pixle.js";

/** All methods, by name. */
export const METHODS = {
  fgsm,
  pgd,
  "adam-tanh": adamTanh,
  deepfool,
  ddn,
  fmn,
  cw,
  ead,
  jsma,
  "one-pixel": onePixel,
  pixle,
} as const satisfies Readonly<Record<string, MethodDef>>;

/** The name of a method. */
export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as MethodName[];
