/** @file All mutants, and the changes that are left out because no answer shows them. */
import { ADAM } from "./tables/adam.mjs";
import { GOALS } from "./tables/attack-goals.mjs";
import { LOSSES } from "./tables/attack-losses.mjs";
import { METHODS } from "./tables/attack-methods.mjs";
import { RESULTS } from "./tables/attack-results.mjs";
import { AUDIT_RESULTS } from "./tables/audit-results.mjs";
import { AUTOATTACK } from "./tables/autoattack.mjs";
import { BLOCKED } from "./tables/blocked.mjs";
import { CALIBRATION } from "./tables/calibration.mjs";
import { CLOSEST } from "./tables/closest.mjs";
import { EXECUTOR } from "./tables/executor.mjs";
import { EXIT_MEASURES } from "./tables/exit-measures.mjs";
import { GATE_ATTACKS } from "./tables/gate-attacks.mjs";
import { GATE_TRAINING } from "./tables/gate-training.mjs";
import { GATES } from "./tables/gates.mjs";
import { GRADIENT_STEPS } from "./tables/gradient-steps.mjs";
import { INTERVALS } from "./tables/intervals.mjs";
import { NORMS } from "./tables/norms.mjs";
import { PLACES } from "./tables/places.mjs";
import { ROUTING } from "./tables/routing.mjs";
import { RULES } from "./tables/rules.mjs";
import { STATISTICS } from "./tables/statistics.mjs";
import { STUDY_EFFECTS } from "./tables/study-effects.mjs";
import { TARGETS } from "./tables/targets.mjs";
import { TASKS } from "./tables/tasks.mjs";
import { TRAINING_TASKS } from "./tables/training-tasks.mjs";

/** Each mutant has a name, a snippet of src/ that stands there once, what takes its place, a
 *  test file, and the test in it that fails. Snippets may leave out white space, parentheses and
 *  casts. */
export const MUTANTS = [
  ...BLOCKED,
  ...GOALS,
  ...LOSSES,
  ...GRADIENT_STEPS,
  ...RESULTS,
  ...AUDIT_RESULTS,
  ...ADAM,
  ...INTERVALS,
  ...EXIT_MEASURES,
  ...NORMS,
  ...RULES,
  ...ROUTING,
  ...EXECUTOR,
  ...PLACES,
  ...TARGETS,
  ...CALIBRATION,
  ...AUTOATTACK,
  ...STATISTICS,
  ...CLOSEST,
  ...METHODS,
  ...TRAINING_TASKS,
  ...STUDY_EFFECTS,
  ...GATES,
  ...GATE_ATTACKS,
  ...GATE_TRAINING,
  ...TASKS,
];

/** Changes that leave every answer as it is, so that no test can notice them. */
export const EQUIVALENT = [
  {
    what: "half the derivative of (tanh w + 1) / 2 in Adam",
    why: "Adam divides the gradient by its own size, so a constant factor goes away",
  },
  {
    what: "another second derivative in the fit of a temperature",
    why: "Newton's steps stay within a bracket that shrinks, so only their number changes",
  },
  {
    what: "another start of the fit of a temperature",
    why: "the likelihood is convex in 1 / T, so every start leads to the same temperature",
  },
  {
    what: "a wait of the executor's intake that is longer than 0 ms",
    why: "answers and batches of a source at hand stay the same, and no test asserts wall time",
  },
];
