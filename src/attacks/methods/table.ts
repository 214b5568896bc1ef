/** @file The table of methods. Attack files, the list of attacks and the documentation are made
 *  from it. A new method is one file and one line here. */

import { adamTanh } from "./adam-tanh.js";
import { apgdCe, apgdDlr, apgdT } from "./apgd.js";
import { autoattack } from "./autoattack.js";
import { autoattackDynamic } from "./autoattack-dynamic.js";
import { ddn } from "./ddn.js";
import { deepfool } from "./deepfool.js";
import { fab, fabT } from "./fab.js";
import { fmn } from "./fmn.js";
import type { MethodDef } from "./method.js";
import { fgsm, pgd } from "./pgd.js";
import { square } from "./square.js";

/** All methods, by name. */
export const METHODS = {
  fgsm,
  pgd,
  "adam-tanh": adamTanh,
  deepfool,
  ddn,
  fmn,
  "apgd-ce": apgdCe,
  "apgd-dlr": apgdDlr,
  "apgd-t": apgdT,
  square,
  fab,
  "fab-t": fabT,
  autoattack,
  "autoattack-dynamic": autoattackDynamic,
} as const satisfies Readonly<Record<string, MethodDef>>;

/** The name of a method. */
export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as MethodName[];
