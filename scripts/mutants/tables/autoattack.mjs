/** @file Mutants of Auto-PGD, FAB, Square Attack, AutoAttack and their losses. */
const APGD_TEST = "test/attacks/apgd.long.test.ts";
const SQUARE_TEST = "test/attacks/square.test.ts";
const PROJECTIONS_TEST = "test/perturb/projections.test.ts";

export const AUTOATTACK = [
  {
    name: "autoattack/first-length",
    find: "this.#length = 2 * course.radius;",
    replace: "this.#length = course.radius;",
    test: APGD_TEST,
    killedBy: "is two radii long at first",
  },
  {
    name: "autoattack/momentum",
    find: "const MOMENTUM = 0.75;",
    replace: "const MOMENTUM = 0.5;",
    test: APGD_TEST,
    killedBy: "is two radii long at first",
  },
  {
    name: "autoattack/no-halving",
    find: "if (halves) this.#length /= 2;",
    replace: "",
    test: APGD_TEST,
    killedBy: "is half as long after a checkpoint",
  },
  {
    name: "autoattack/checkpoints",
    find: "0.03 * steps",
    replace: "0.06 * steps",
    test: APGD_TEST,
    killedBy: "has the checkpoints of the paper",
  },
  {
    name: "autoattack/dlr-spread",
    find: "[1, 0, -1]",
    replace: "[1, 0, -2]",
    test: APGD_TEST,
    killedBy: "is the margin over the largest less the third logit",
  },
  {
    name: "autoattack/targeted-dlr-spread",
    find: "[1, 0, -0.5, -0.5]",
    replace: "[1, 0, -1, -1]",
    test: APGD_TEST,
    killedBy: "divides by the largest less the mean",
  },
  {
    name: "autoattack/l1-radius",
    find: "if (length(0) <= radius) return 0;",
    replace: "if (length(0) <= 2 * radius) return 0;",
    test: PROJECTIONS_TEST,
    killedBy: "is the nearest point of both",
  },
  {
    name: "autoattack/hyperplane-half",
    find: "moves[i] = Math.min(rooms[i], left / weights[i]);",
    replace: "moves[i] = Math.min(rooms[i], left / weights[i] / 2);",
    test: PROJECTIONS_TEST,
    killedBy: "is as near as the grid finds",
  },
  {
    name: "autoattack/square-step",
    find: "image[at] = clamp01(clean[at] + step);",
    replace: "image[at] = clamp01(clean[at] + 2 * step);",
    test: SQUARE_TEST,
    killedBy: "changes one square of the stated share",
  },
  {
    name: "autoattack/square-schedule",
    find: "const HALVINGS = [10, 50,",
    replace: "const HALVINGS = [20, 50,",
    test: SQUARE_TEST,
    killedBy: "of the first",
  },
];
