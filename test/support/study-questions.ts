/** @file The made-up claims and questions of a study's record, for {@link studyRecord}. */
import { wilson } from "../../src/measures/wilson.js";
import type { Rate } from "../../src/schema/numbers.js";
import { NOT_RUN } from "../../src/schema/study/claims.js";
import type { StudyCheck, StudyRecord, StudyVerdict } from "../../src/schema/study/record.js";

/** Spreads numbers between -1 and 1, the same in every run. */
export const wobble = (seed: number): number => Math.sin(12.9898 * seed + 78.233) * Math.cos(4.1 * seed);
/** The rate of about `share` of `samples`. */
export const near = (share: number, samples = 400): Rate =>
  wilson(Math.round(samples * Math.min(1, Math.max(0, share))), samples);

type Block = StudyRecord["blocks"][number];

const check = (name: string, passed: boolean, detail: string): StudyCheck => ({ name, passed, detail });

const CHECKS = [
  check("large radius", true, "got 0.998, expected at least 99 % at radius 0.5"),
  check("vanished gradients", true, "got 0.002, expected below 1 % of samples"),
];

interface MadeClaim extends Pick<StudyVerdict, "claim" | "statement" | "unit" | "scale" | "smallest" | "verdict"> {
  readonly effect: number;
  readonly half: number;
  readonly checks?: readonly StudyCheck[];
}

const MADE: readonly MadeClaim[] = [
  {
    ...{ claim: "C0", statement: "Dynamic networks are more robust than static ones", unit: "white-box success" },
    ...{ scale: "share", smallest: 0.03, verdict: "supported", effect: 0.047, half: 0.021 },
  },
  {
    ...{ claim: "C1", statement: "Attacks transfer better from dynamic to static networks than back" },
    ...{ unit: "transfer success", scale: "share", smallest: 0.03, verdict: "refuted", effect: -0.052, half: 0.03 },
  },
  {
    ...{ claim: "C2", statement: "Dynamic surrogates give more adversarial samples in the same time" },
    ...{ unit: "samples per 10^12 MACs", scale: "logarithm", smallest: Math.log(1.2), verdict: "supported" },
    ...{ effect: Math.log(1.62), half: 0.2 },
  },
  {
    ...{ claim: "C3", statement: "Samples made on static networks do not raise the cost of dynamic ones" },
    ...{ unit: "full cost", scale: "share", smallest: 0.05, verdict: "practically-nil", effect: 0.008, half: 0.012 },
  },
  {
    ...{
      claim: "C4",
      statement: "An earlier first exit is more robust",
      unit: "changed labels per factor of 10 in cost",
    },
    ...{ scale: "share", smallest: 0.03, verdict: "inconclusive", effect: 0.041, half: 0.06 },
    checks: [check("white-box against transfer", false, "got -0.04, expected white-box at least as strong")],
  },
  {
    ...{ claim: "C5", statement: "The early attack is easier when exits depend less on each other" },
    ...{
      unit: "log of the median L2",
      scale: "plain",
      smallest: 0.05,
      verdict: "inconclusive",
      effect: 0.21,
      half: 0.3,
    },
    checks: [check("routed gradient equals finite differences", false, NOT_RUN)],
  },
];

const around = (value: number, half: number) => ({ value, low: value - half, high: value + half });

export function claimsAndCells(blocks: readonly Block[]): Pick<StudyRecord, "verdicts" | "cells"> {
  const cells = [...new Set(blocks.map(({ cell }) => cell))];
  const verdicts = MADE.map(({ effect, half, checks = [], ...made }, i): StudyVerdict => {
    const decided = made.verdict !== "inconclusive";
    return {
      ...made,
      ...{
        source: "Haque and Yang, abstract",
        endpoint: `${made.unit}, static minus dynamic`,
        test: "sign-flip permutation",
      },
      ...{ effect: around(effect, half), p: decided ? 0.0004 + 0.003 * i : 0.31, adjusted: decided ? 0.012 : 0.62 },
      ...{
        blocks: blocks.length,
        cells: { agree: decided ? cells.length : 1, all: cells.length },
        power: 0.95 - 0.1 * i,
      },
      reason: decided
        ? "The interval lies on one side and the effect is large enough."
        : "A check of the assay failed or was not made.",
      ...{ checks: [...CHECKS, ...checks], paper: "unknown" },
    };
  });
  const effects = MADE.flatMap(({ claim, effect, half }, i) =>
    cells.map((cell, j) => ({
      ...{ claim, cell, blocks: blocks.length / cells.length },
      effect: around(effect + half * wobble(5 * i + j), 1.6 * half),
    })),
  );
  return { verdicts, cells: effects };
}

const SURROGATES = [
  ["static", 900, 41],
  ["dynamic routed", 1500, 27],
  ["pruned at exit2", 1420, 29],
  ["small static", 1100, 33],
] as const;

export const yields = (blocks: readonly Block[]): StudyRecord["questions"]["yield"] =>
  blocks.flatMap(({ name }, i) =>
    SURROGATES.map(([surrogate, perTeraMac, scale], j) => ({
      ...{
        block: name,
        surrogate,
        perTeraMac: perTeraMac * (1 + 0.1 * wobble(i + j)),
        perSecond: j === 3 ? null : perTeraMac / 900,
      },
      ...{ censored: 40 + 10 * j, samples: 500 },
      points: Array.from({ length: 12 }, (_, k) => ({
        macs: (k + 1) * 2e9,
        remaining: Math.max(0.08 + 0.02 * j, Math.exp(-((k + 1) * 12) / scale)),
      })),
    })),
  );

const SHIFTS = { "fixed budget": -0.06, query: -0.02, "minimum norm": 0.02, slowdown: 0.24, control: 0.004 } as const;

export const costShifts = (
  blocks: readonly Block[],
  attacks: StudyRecord["attacks"],
): StudyRecord["questions"]["cost"] =>
  blocks.flatMap(({ name }, i) =>
    attacks.map(({ name: attack, family }, j) => {
      const shift = SHIFTS[family] + 0.012 * wobble(i + 3 * j);
      return {
        ...{ block: name, attack, family, samples: 400, shift: around(shift, 0.012) },
        ...{ fooled: family === "control" ? null : shift + 0.01, kept: shift - 0.02 },
        ...{ milliseconds: j === 2 ? null : around(4 * shift, 0.3), p99: j === 2 ? null : 1 + shift },
      };
    }),
  );

export const firstExits = (blocks: readonly Block[]): StudyRecord["questions"]["firstExit"] =>
  blocks.flatMap(({ name }, i) =>
    (["within", "across"] as const).flatMap((scenario, s) =>
      ["rad 5 %", "mean cost 50 %"].map((target, t) => ({
        ...{ block: name, scenario, target, slope: s === 1 && t === 1 ? null : 0.18 + 0.04 * wobble(i + t) },
        points: [0.06, 0.12, 0.25, 0.5, 0.75].map((costFraction, k) => ({
          ...{ exit: `exit${k}`, costFraction, changed: near(0.2 + 0.3 * (1 - s) + 0.06 * k + 0.03 * wobble(i + k)) },
          ...{ exposure: 0.3 + 0.1 * k, vulnerability: k === 4 ? null : 0.35 + 0.05 * k + 0.03 * wobble(i + 2 * k) },
        })),
      })),
    ),
  );

export function earlyAttack(blocks: readonly Block[]): StudyRecord["questions"]["early"] {
  const rows = blocks.flatMap((block, i) =>
    (["dense", "dense-joint"] as const).flatMap((role, r) =>
      [1, 2, 3, 6].map((exits, k) => {
        const dependency = 0.35 + 0.3 * r - 0.05 * k + 0.05 * wobble(i + k);
        const norm = 0.2 + 0.3 * dependency + 0.04 * exits;
        return {
          ...{ block: block.name, network: `${block.architecture}-${block.data}-${role}-s${block.seed}`, role },
          ...{
            exits: Array.from({ length: exits }, (_, e) => `exit${e}`),
            lastExit: 0.75,
            sparsity: exits / 9,
            gap: 0.25,
          },
          ...{
            dependency,
            samples: 200,
            successes: 190 - 30 * k,
            firing: k === 3 ? null : 0.7,
            medianNorm: k === 3 ? null : norm,
          },
          survival: Array.from({ length: 10 }, (_, n) => ({
            norm: 0.1 * n,
            remaining: n === 0 ? 1 : Math.max(0.05 + 0.15 * k, Math.exp((-0.07 * n) / norm)),
          })),
        };
      }),
    ),
  );
  const coefficients = ["intercept", "dependency", "sparsity", "number of exits"].map((name, i) => ({
    ...{ name, value: [-1.2, 0.84, -0.31, 0.12][i], error: 0.1 + 0.05 * i, p: [0.0001, 0.004, 0.21, 0.03][i] },
  }));
  return { rows, coefficients };
}
