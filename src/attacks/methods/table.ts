/** @file The table of methods. Attack files, the list of attacks and the documentation are made
 *  from it. A new method is one file and one line here. */

import { adamTanh } from "./adam-tanh.js";
import { apgdCe, apgdDlr, apgdT } from "./apgd.js";
import { autoattack } from "./autoattack.js";
import { autoattackDynamic } from "./autoattack-dynamic.js";
import { boundary } from "./boundary.js";
import { brendelBethge } from "./brendel-bethge.js";
import {
  contrast,
  gaussianBlur,
  gaussianNoise,
  rotateTranslate,
  saltAndPepper,
  signNoise,
  uniformNoise,
} from "./controls.js";
import { costWalk } from "./cost-walk.js";
import { cw } from "./cw.js";
import { ddn } from "./ddn.js";
import { deepfool } from "./deepfool.js";
import { dim, tim } from "./diverse.js";
import { ead } from "./ead.js";
import { eotPgd } from "./eot.js";
import { nes, spsa } from "./estimated.js";
import { fab, fabT } from "./fab.js";
import { ffgsm, rfgsm } from "./fast.js";
import { fmn } from "./fmn.js";
import { gradauto, gradmdm, ilfo } from "./gate-openers.js";
import { geoda } from "./geoda.js";
import { hopskipjump } from "./hopskipjump.js";
import { jitter } from "./jitter.js";
import { jsma } from "./jsma.js";
import type { MethodDef } from "./method.js";
import { mim, nim, sim, sini } from "./momentum.js";
import { onePixel } from "./one-pixel.js";
import { patch } from "./patch.js";
import { bim, fgsm, pgd } from "./pgd.js";
import { pixle } from "./pixle.js";
import { shrinking } from "./shrinking.js";
import { simba } from "./simba.js";
import { slide } from "./slide.js";
import { sparsefool } from "./sparsefool.js";
import { square } from "./square.js";
import { tpgd } from "./tpgd.js";
import { uap } from "./uap.js";
import { classUniversal, universalPgd } from "./universal-pgd.js";
import { vmi, vni } from "./variance.js";

/** All methods, by name. */
export const METHODS = {
  fgsm,
  pgd,
  "adam-tanh": adamTanh,
  bim,
  mim,
  nim,
  sim,
  sini,
  vmi,
  vni,
  rfgsm,
  ffgsm,
  dim,
  tim,
  tpgd,
  jitter,
  "eot-pgd": eotPgd,
  slide,
  "sign-noise": signNoise,
  "uniform-noise": uniformNoise,
  "gaussian-noise": gaussianNoise,
  "salt-and-pepper": saltAndPepper,
  "gaussian-blur": gaussianBlur,
  contrast,
  "rotate-translate": rotateTranslate,
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
  cw,
  ead,
  jsma,
  "one-pixel": onePixel,
  pixle,
  sparsefool,
  "brendel-bethge": brendelBethge,
  ilfo,
  gradauto,
  gradmdm,
} as const satisfies Readonly<Record<string, MethodDef>>;

/** The name of a method. */
export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as MethodName[];
