/** @file Mutants of the attacks' losses: average, max, margin, slowdown and routed. */
const LOSS_VALUES_TEST = "test/attacks/loss-values.test.ts";
const GOALS_TEST = "test/attacks/goals.test.ts";
const STEPS_TEST = "test/attacks/steps.long.test.ts";
const LAWS_TEST = "test/attacks/laws.long.test.ts";

export const LOSSES = [
  {
    name: "attacks/average-is-sum",
    find: "1 / exitCount(victim)",
    replace: "1",
    test: LOSS_VALUES_TEST,
    killedBy: "average is the mean of all exits",
  },
  {
    name: "attacks/max-score-sign",
    find: "total - Math.log(Math.max(softmaxRow",
    replace: "total + Math.log(Math.max(softmaxRow",
    test: GOALS_TEST,
    killedBy: "max ranks iterates",
  },
  {
    name: "attacks/max-one-start",
    find: "starts: () => exits,",
    replace: "starts: () => [0],",
    test: STEPS_TEST,
    killedBy: "one run for each loss of max",
  },
  {
    name: "attacks/margin-label-mask",
    find: "scale(ctx, hot, 1e9)",
    replace: "scale(ctx, hot, 0)",
    test: LOSS_VALUES_TEST,
    killedBy: "the margin loss is the best of the other classes",
  },
  {
    name: "attacks/margin-cap",
    find: "capped(ctx, build(ctx, exit), cap)",
    replace: "build(ctx, exit)",
    test: LOSS_VALUES_TEST,
    killedBy: "the margin loss is the best of the other classes",
  },
  {
    name: "attacks/slowdown-one-exit",
    find: "early.map((k) => flatness(ctx, k))",
    replace: "early.slice(0, 1).map((k) => flatness(ctx, k))",
    test: LOSS_VALUES_TEST,
    killedBy: "slowdown sums over the early exits",
  },
  {
    name: "attacks/slowdown-final-exit-too",
    find: "routeOne(prefixOf(logits.slice(0, exitCount(victim) - 1)), victim.policy, exitCount(victim))?.stop;",
    replace: "routeOne(prefixOf(logits), victim.policy, exitCount(victim))?.stop;",
    test: GOALS_TEST,
    killedBy: "of slowdown is that no early exit fires",
  },
  {
    name: "attacks/routed-stays",
    find: "find(logits) ?? Math.min(at + 1, places.length - 1)",
    replace: "find(logits) ?? at",
    test: GOALS_TEST,
    killedBy: "moves on to the next prefix",
  },
  {
    name: "attacks/routed-starts-first",
    find: "[find(sample.clean) ?? places.length - 1]",
    replace: "[0]",
    test: GOALS_TEST,
    killedBy: "starts from the exit that the clean image takes",
  },
  {
    name: "attacks/routed-answer-of-stop",
    find: "build: (ctx) => loss.of(ctx, answer)",
    replace: "build: (ctx) => loss.of(ctx, stop)",
    test: LOSS_VALUES_TEST,
    killedBy: "routed has the cross-entropy of the exit that answers",
  },
  {
    name: "attacks/targeted-sign",
    find: "scale(ctx, def.away(ctx, exit, ctx.targetHot()), -1)",
    replace: "def.away(ctx, exit, ctx.targetHot())",
    test: LOSS_VALUES_TEST,
    killedBy: "a targeted loss is the negative of the loss for the target",
  },
  {
    name: "attacks/slowdown-any-exit",
    find: "stopOf(seen.logits) > most && keepsLabel(",
    replace: "stopOf(seen.logits) > 0 && keepsLabel(",
    test: LAWS_TEST,
    killedBy: "slowdown succeeds where no early exit fires, and only there",
  },
];
