/** @file The table of methods. Attack files, the list of attacks and the documentation are made
 *  from it. A new method is one file and one line here. */

import { adamTanh } from "./adam-tanh.js";
import { apgdCe, apgdDlr, apgdT } from "./apgd.js";
import { autoattack } from "./autoattack.js";
import { autoattackDynamic } from "./autoattack-dynamic.js";
import { boundary } from "./boundary.js";
import { costWalk } from "./cost-walk.js";
import { ddn } from "./ddn.js";
import { deepfool } from "./deepfool.js";
import { nes, spsa } from "./estimated.js";
import { fab, fabT } from "./fab.js";
import { fmn } from "./fmn.js";
import { geoda } from "./geoda.js";
import { hopskipjump } from "./hopskipjump.js";
import type { MethodDef } from "./method.js";
import { patch } from "./patch.js";
import { fgsm, pgd } from "./pgd.js";
import { shrinking } from "./shrinking.js";
import { simba } from "./simba.js";
import { square } from "./square.js";
import { uap } from "./uap.js";
import { classUniversal, universalPgd } from "./universal-pgd.js";

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
  hopskipjump,
  "universal-pgd": universalPgd,
  "class-universal": classUniversal,
  nes,
  spsa,
  "cost-walk": costWalk,
  boundary,
  simba,
  uap,
  geoda,
  shrinking,
  patch,
} as const satisfies Readonly<Record<string, MethodDef>>;

/** The name of a method. */
export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as MethodName[];
