/** @file The statistics of studies: tests, intervals, resampling and power. docs/statistics.md
 *  lists each with its source and with what it is checked against. */
export { mcnemarExact, mcnemarMidP } from "../mcnemar.js";
export { wilson } from "../wilson.js";
export {
  acceleration,
  type Bootstrap,
  type BootstrapOptions,
  hierarchicalBootstrap,
  type PairedBlock,
} from "./bootstrap.js";
export { clopperPearson } from "./clopper-pearson.js";
export { kendall, pearson, spearman, spearmanInterval } from "./correlation.js";
export {
  betaQuantile,
  chiSquaredTail,
  normalCdf,
  normalQuantile,
  normalTail,
  tQuantile,
  tTail,
} from "./distributions.js";
export { nonInferiority, type Tost, tost } from "./equivalence.js";
export { cohenKappa } from "./kappa.js";
export { benjaminiHochberg, holm } from "./multiplicity.js";
export { type PageTest, pageTrend } from "./page.js";
export { type Estimate, pairedDifference } from "./paired-difference.js";
export { type Power, type PowerQuestion, powerOverBlocks } from "./power.js";
export {
  type Coefficient,
  linearRegression,
  partialColumn,
  type Regression,
  type RegressionRows,
} from "./regression.js";
export { type SignFlip, type SignFlipOptions, signFlip } from "./sign-flip.js";
export { kaplanMeier, type LogRank, logRank, restrictedMean, type SurvivalStep, type Times } from "./survival.js";
export { type TTest, tTest } from "./t-test.js";
export { type Wilcoxon, wilcoxon } from "./wilcoxon.js";
