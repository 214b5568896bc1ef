/** @file The attacks of a study whose file names none. Every pair of networks gets the same norm,
 *  radius, steps, start and rounding. Source: docs/study.md, "Fixed for all questions". */
import type { PlannedAttack, StudyPlan } from "../../schema/study/plan.js";

type Radii = StudyPlan["radius"];

/** The goals of an attack on a dynamic network. A static one has the first alone. */
const OBJECTIVES = { final: "misclassify:final", average: "average", max: "max", routed: "routed" } as const;

/** Steps of PGD, and the length of each as a share of the radius (Madry et al. 2018). */
const PGD = { method: "pgd", norm: "linf", steps: 20, randomStart: true } as const;
const stepOf = (radius: number): number => (2.5 * radius) / PGD.steps;

/** Past the first success an attack goes on, because an image just beyond the boundary of one
 * network hardly fools another. */
const LAST = { iterate: "last" } as const;

/** All attacks, by name. */
export function battery({ transfer, whiteBox, shown }: Radii): PlannedAttack[] {
  return [
    ...[transfer, ...shown].flatMap((radius) => pgdAt(radius, radius === transfer ? "" : `@${showRadius(radius)}`)),
    ...["mim", "dim", "vmi"].map((method): PlannedAttack => {
      return {
        name: method,
        on: "any",
        uses: ["transfer", "cost"],
        goal: OBJECTIVES.final,
        method,
        radius: transfer,
        ...LAST,
      };
    }),
    ...whiteBoxAttacks(whiteBox),
    ...minimumNorm,
    ...controls(transfer),
    ...checks,
  ];
}

const pgdAt = (radius: number, suffix: string): PlannedAttack[] =>
  Object.entries(OBJECTIVES).map(([objective, goal]): PlannedAttack => {
    const uses: PlannedAttack["uses"] =
      objective === "final" || objective === "routed" ? ["transfer", "cost", "yield"] : ["transfer"];
    const on = objective === "final" ? "any" : "dynamic";
    return { name: `pgd-${objective}${suffix}`, on, uses, goal, ...PGD, radius, stepSize: stepOf(radius), ...LAST };
  });

/** The members of the worst case. Each stops at its success. */
function whiteBoxAttacks(radius: number): PlannedAttack[] {
  const uses: PlannedAttack["uses"] = ["white-box"];
  const both = (name: string, fields: object): PlannedAttack[] => [
    { name, on: "any", uses, goal: OBJECTIVES.final, radius, ...fields },
    { name: `${name}-routed`, on: "dynamic", uses, goal: OBJECTIVES.routed, radius, ...fields },
  ];
  return [
    ...both("white-pgd", { ...PGD, stepSize: stepOf(radius) }),
    ...both("white-apgd", { method: "apgd-ce", steps: 50 }),
    ...both("white-square", { method: "square", queries: 300 }),
    { name: "white-average", on: "dynamic", uses, goal: OBJECTIVES.average, ...PGD, radius, stepSize: stepOf(radius) },
    { name: "white-max", on: "dynamic", uses, goal: OBJECTIVES.max, ...PGD, radius, stepSize: stepOf(radius) },
  ];
}

const minimumNorm: PlannedAttack[] = [
  { name: "deepfool", on: "any", uses: ["cost"], goal: OBJECTIVES.final, method: "deepfool", norm: "l2" },
  { name: "fmn", on: "any", uses: ["cost"], goal: OBJECTIVES.final, method: "fmn", norm: "linf" },
  { name: "early", on: "dynamic", uses: ["early"], goal: "early:minimum", method: "fmn", norm: "l2" },
];

const controls = (radius: number): PlannedAttack[] => [
  {
    name: "sign-noise",
    on: "any",
    uses: ["control", "cost"],
    goal: OBJECTIVES.final,
    method: "sign-noise",
    norm: "linf",
    radius,
  },
  {
    name: "slowdown",
    on: "dynamic",
    uses: ["slowdown"],
    goal: "slowdown",
    method: "pgd",
    norm: "linf",
    radius,
    steps: 30,
    stepSize: (2.5 * radius) / 30,
    randomStart: true,
  },
];

/** Attacks whose success is known beforehand: with radius 0.5 nearly every sample falls, and more
 * steps are not weaker. */
const checks: PlannedAttack[] = [
  {
    name: "check-radius",
    on: "any",
    uses: ["check"],
    goal: OBJECTIVES.final,
    ...PGD,
    radius: 0.5,
    stepSize: stepOf(0.5),
  },
];

const showRadius = (radius: number): string => `${Number((radius * 255).toFixed(2))}`;
