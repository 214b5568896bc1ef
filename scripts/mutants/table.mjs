/** @file All mutants, and the changes that were left out because no test can tell them apart. */
import { ATTACKS } from "./attacks.mjs";
import { DYNAMIC } from "./dynamic.mjs";
import { MEASURES } from "./measures.mjs";

/** Each mutant has a name, a snippet of src/ that stands there once, what takes its place, a test file, and the test in it that fails. */
export const MUTANTS = [...ATTACKS, ...MEASURES, ...DYNAMIC];

/** Changes that leave every answer as it is, so that no test can notice them. */
export const EQUIVALENT = [
  {
    what: "half the derivative of (tanh w + 1) / 2 in Adam, 1 - x in place of 2 x (1 - x) for all pixels alike",
    why: "Adam divides the gradient by its own size, so a constant factor goes away but for the 1e-8 in the denominator",
  },
  {
    what: "no early return from a step of L2 whose gradient is zero, where the sum of squares is left at 0 / 0",
    why: "is no equivalent: it is the mutant attacks/l2-step-of-nothing",
  },
];
