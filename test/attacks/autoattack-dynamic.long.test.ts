/** @file AutoAttack for networks with several exits, against a grid search over the ball of two pixels, and against each
 *  of its members. */
import { afterAll, describe, expect, test } from "vitest";
import type { Attack, SampleOutcome } from "../../src/attacks/attack.js";
import { type AutoAttackOptions, attackInOrder } from "../../src/attacks/methods/autoattack.js";
import { followedGoals, following } from "../../src/attacks/methods/autoattack-dynamic.js";
import type { Task } from "../../src/attacks/methods/method.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import type { FoundImage, Search } from "../../src/attacks/question.js";
import { runAttack } from "../../src/attacks/runner.js";
import type { Sample } from "../../src/attacks/sample.js";
import { configureAttack } from "../../src/attacks/spec.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { LinearExit } from "../support/attack.js";
import { lattice, rightSample, routedAt, THREE_EXITS, victimFor, WEDGE, worstInBall } from "../support/two-pixels.js";

const SHORT = { steps: 15, queries: 20 };
const MEMBERS = ["apgd-ce", "apgd-t", "fab-t", "square"] as const;
const NORMS = ["linf", "l2"] as const;
type Norm = (typeof NORMS)[number];

/** One network, whose sessions all attacks on it share. */
function bench(exits: readonly LinearExit[], norm: Norm, radius: number) {
  const victim = victimFor(exits);
  const evaluator = new Evaluator(victim.model, { backend: ortNode({ threads: 1 }) });
  afterAll(() => evaluator.release());
  const attackOf = (goal: string): Attack =>
    configureAttack({ name: "t", method: "autoattack-dynamic", goal, norm, radius, ...SHORT }, victim);
  const run = (attack: Attack, samples: readonly Sample[]) =>
    runAttack(attack, samples, { evaluator, seed: 3, batch: 64 });
  return {
    victim,
    routed: (samples: readonly Sample[]) => run(attackOf("routed"), samples),
    slowed: (samples: readonly Sample[]) => run(attackOf("slowdown"), samples),
    /** Some members alone, along the losses of one goal, judged by the routed answer. */
    along: (samples: readonly Sample[], goal: string, members = MEMBERS.join(",")) => {
      const options: AutoAttackOptions = { version: "standard", members, ...SHORT };
      function* start([task]: readonly Task[]): Search<readonly FoundImage[]> {
        return [yield* attackInOrder([following(task, goal, victim)], options, victim)];
      }
      const attack = attackOf("routed");
      return run({ ...attack, method: { ...attack.method, start } }, samples);
    },
  };
}

const fallen = (outcomes: readonly SampleOutcome[]): boolean[] => outcomes.map(({ success }) => success);

/** A share of the ball below which the grid and an attack may disagree. */
const CLEAR = 0.01;

/** Images between which the first exit of the wedge fires wrongly. */
const besideWedge = [0, 1, 2, 3].map((id) => rightSample(WEDGE, [0.5, 0.5 + 0.002 * id], id));
const RADIUS = 0.1;
const NETWORKS = [
  { name: "three exits", exits: THREE_EXITS, samples: lattice(THREE_EXITS, 6), stops: 3, fewest: [15, 10] },
  { name: "a wedge", exits: WEDGE, samples: [...besideWedge, ...lattice(WEDGE, 3, 4)], stops: 1, fewest: [4, 2] },
] as const;

describe.each(NETWORKS)("on $name of two pixels", ({ exits, samples, stops, fewest }) => {
  describe.each(NORMS)("in %s", (norm) => {
    const { routed, slowed } = bench(exits, norm, RADIUS);
    const worst = samples.map((sample) => worstInBall(exits, sample, norm, RADIUS));
    const isFree = (sample: Sample) => worstInBall(exits, sample, norm, 1.03 * RADIUS).wrong === 0;

    test("breaks the samples that the grid breaks, and no others", async () => {
      const broken = fallen(await routed(samples));
      const clear = samples.flatMap((s, i) => (worst[i].wrong >= CLEAR || isFree(s) ? [i] : []));
      expect(clear.map((i) => broken[i])).toEqual(clear.map((i) => worst[i].wrong > 0));
      expect(clear.length).toBeGreaterThan(0.8 * samples.length);
      expect(broken.filter(Boolean).length).toBeGreaterThanOrEqual(fewest[0]);
      expect(broken.filter((fell) => !fell).length).toBeGreaterThanOrEqual(fewest[1]);
    });

    test("with the goal slowdown stops as late as the grid does", async () => {
      const outcomes = await slowed(samples);
      const clear = samples.flatMap((_, i) => (worst[i].share >= CLEAR ? [i] : []));
      const found = clear.map((i) => routedAt(exits, outcomes[i].image).stop);
      expect(found).toEqual(clear.map((i) => worst[i].stop));
      expect(new Set(found).size).toBeGreaterThanOrEqual(stops);
      expect(clear.length).toBeGreaterThan(0.8 * samples.length);
    });
  });

  test("breaks whatever a member breaks along the losses of any goal", async () => {
    const { victim, routed, along } = bench(exits, "linf", RADIUS);
    const broken = fallen(await routed(samples));
    for (const goal of [...followedGoals(victim), "max"])
      for (const member of MEMBERS) {
        const alone = fallen(await along(samples, goal, member));
        expect(alone.filter((fell, i) => fell && !broken[i])).toEqual([]);
      }
    expect(broken.filter(Boolean).length).toBeGreaterThanOrEqual(fewest[0]);
  });
});

describe("some samples fall along one loss alone", () => {
  test.each([
    { only: "routed", exits: THREE_EXITS, samples: lattice(THREE_EXITS, 6), holds: [] },
    // The average holds the loss of the early exit too.
    { only: "misclassify:0", exits: WEDGE, samples: besideWedge, holds: ["average"] },
  ])("$only", async ({ only, exits, samples, holds }) => {
    const { victim, along } = bench(exits, "linf", RADIUS);
    const others = followedGoals(victim).filter((goal) => ![only, ...holds].includes(goal));
    const own = fallen(await along(samples, only));
    const rest = await Promise.all(others.map(async (goal) => fallen(await along(samples, goal))));
    expect(own.filter((fell, i) => fell && rest.every((other) => !other[i])).length).toBeGreaterThan(0);
  });
});

describe("on a network with one exit", () => {
  test("breaks what AutoAttack breaks", async () => {
    const exits = THREE_EXITS.slice(2);
    const samples = lattice(exits, 6);
    const { victim, routed } = bench(exits, "linf", RADIUS);
    const config = { name: "t", method: "autoattack", radius: RADIUS, ...SHORT };
    const evaluator = new Evaluator(victim.model, { backend: ortNode({ threads: 1 }) });
    const standard = await runAttack(configureAttack(config, victim), samples, { evaluator, seed: 3, batch: 64 });
    await evaluator.release();
    expect(fallen(await routed(samples))).toEqual(fallen(standard));
    expect(new Set(fallen(standard)).size).toBe(2);
  });
});
