/** @file All kinds of tasks. */
import type { TaskKind } from "./kind.js";
import { answersKind } from "./kinds/answers.js";
import { craftKind } from "./kinds/craft.js";
import { finiteDifferencesKind } from "./kinds/finite-differences.js";
import { latencyKind } from "./kinds/latency.js";
import { paceKind } from "./kinds/pace.js";
import { thresholdsKind } from "./kinds/thresholds.js";
import { trainKind } from "./kinds/train.js";

/** The kinds of tasks by name. */
export const TASK_KINDS: Readonly<Record<string, TaskKind>> = Object.fromEntries(
  [trainKind, answersKind, thresholdsKind, craftKind, finiteDifferencesKind, latencyKind, paceKind].map((kind) => [
    kind.name,
    kind,
  ]),
);
