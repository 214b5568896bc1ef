/** @file All kinds of tasks. */
import { answersKind } from "./kinds/answers.js";
import { craftKind } from "./kinds/craft.js";
import { exitTimesKind } from "./kinds/exit-times.js";
import { finiteDifferencesKind } from "./kinds/finite-differences.js";
import { latencyKind } from "./kinds/latency.js";
import { paceKind } from "./kinds/pace.js";
import { pointsKind } from "./kinds/points.js";
import { policyKind } from "./kinds/policy.js";
import { thresholdsKind } from "./kinds/thresholds.js";
import { timesKind } from "./kinds/times.js";
import { trainKind } from "./kinds/train.js";
import type { Kinds } from "./perform.js";

/** The kinds of tasks by name. */
export const TASK_KINDS: Kinds = Object.fromEntries(
  [
    trainKind,
    answersKind,
    policyKind,
    thresholdsKind,
    craftKind,
    exitTimesKind,
    finiteDifferencesKind,
    latencyKind,
    paceKind,
    pointsKind,
    timesKind,
  ].map((kind) => [kind.name, kind]),
);
