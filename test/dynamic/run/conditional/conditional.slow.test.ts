/** @file Property: whatever the network, rule, thresholds and batch, a conditional file answers as route does. */
import fc from "fast-check";
import { describe, test } from "vitest";
import { RULE_DEFS } from "../../../../src/dynamic/route/policy.js";
import { FALLBACKS, NEVER_FIRES, type Policy, RULES, thresholdCount } from "../../../../src/schema/policy.js";
import { expectEqualToRoute, images, KINDS, randomModel } from "../../../deploy/support.js";

/** A threshold that some samples pass: between the least and the most sure. */
const thresholds = (policy: Pick<Policy, "rule">, classes: number, shares: readonly number[]): number[] => {
  if (policy.rule === "patience") return [1 + Math.floor(shares[0] * 4)];
  const [low, high] = RULE_DEFS[policy.rule].range(classes);
  return shares.map((share) => (share > 0.97 ? NEVER_FIRES[policy.rule] : low + share * (high - low)));
};

const networks = fc.record({
  kind: fc.constantFrom(...KINDS),
  exits: fc.integer({ min: 1, max: 5 }),
  classes: fc.integer({ min: 2, max: 6 }),
  seed: fc.integer({ min: 1, max: 50 }),
  opset: fc.constantFrom(11, 13, 17, 18, 21),
});

describe("a conditional file", () => {
  test.each(RULES.flatMap((rule) => FALLBACKS.map((fallback) => [rule, fallback] as const)))(
    "answers as route does: rule %s, fallback %s",
    async (rule, fallback) => {
      const share = fc.double({ min: 0, max: 1, noNaN: true });
      await fc.assert(
        fc.asyncProperty(
          networks,
          fc.array(share, { minLength: 5, maxLength: 5 }),
          fc.option(fc.array(fc.double({ min: 0.3, max: 4, noNaN: true }), { minLength: 5, maxLength: 5 })),
          fc.constantFrom(1, 2, 3, 9),
          async (options, shares, temperatures, batch) => {
            const model = randomModel(options);
            const count = thresholdCount(rule, options.exits);
            const policy: Policy = {
              rule,
              fallback,
              thresholds: thresholds({ rule }, options.classes, shares.slice(0, Math.max(count, 1))).slice(0, count),
              temperatures: temperatures?.slice(0, options.exits),
            };
            await expectEqualToRoute(model, policy, images(batch, options.seed));
          },
        ),
        { numRuns: 15, seed: 7 },
      );
    },
  );
});
