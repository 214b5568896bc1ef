/** @file A made-up record of a study: every number follows from a formula, and every section has something to show. */

import type { Kinship, Role, StudyRecord } from "../../src/schema/study/record.js";
import { overallOf } from "../../src/studies/study/questions/transfer-effects.js";
import { claimsAndCells, costShifts, earlyAttack, firstExits, near, wobble, yields } from "./study-questions.js";

const ARCHITECTURES = ["resnet20", "vgg16-w0.25", "mobilenet-w0.5"];
const DATA = ["cifar10", "cifar100"];
const RADII = [2 / 255, 4 / 255, 8 / 255];
export const PRIMARY = 4 / 255;
const SAMPLES = 500;

type Block = StudyRecord["blocks"][number];

/** Blocks of `cells` cells with `seeds` seeds each. */
const blocksOf = (cells: number, seeds: number): Block[] =>
  Array.from({ length: cells * seeds }, (_, i) => {
    const cell = Math.floor(i / seeds);
    const [architecture, data] = [ARCHITECTURES[cell % 3], DATA[Math.floor(cell / 3) % 2]];
    const seed = 1 + (i % seeds);
    const missing =
      i === 0 ? [] : [{ role: "small-static" as const, network: `${architecture}-${data}-small-s${seed}` }];
    return {
      name: `${architecture}/${data}/s${seed}`,
      cell: `${architecture}/${data}`,
      architecture,
      data,
      seed,
      missing,
    };
  });

const networkName = ({ architecture, data, seed }: Block, role: Role): string =>
  `${architecture}-${data}-${role}-s${seed}`;

function networkOf(block: Block, role: Role, at: number): StudyRecord["networks"][number] {
  const exits = role === "static" ? 1 : 4;
  return {
    name: networkName(block, role),
    spec: `zoo:${networkName(block, role)}`,
    sha256: String(at % 10).repeat(64),
    block: block.name,
    role,
    parameters: 270_000 + 1000 * at,
    exits: Array.from({ length: exits }, (_, k) => ({
      name: k === exits - 1 ? "final" : `exit${k}`,
      macs: Math.round((41e6 * (k + 1)) / exits),
      costFraction: (k + 1) / exits,
      accuracy: near(0.88 - 0.07 * (exits - 1 - k) + 0.01 * wobble(at), SAMPLES),
    })),
    policy: { rule: "max-softmax", thresholds: role === "static" ? [] : [0.8, 0.85, 0.9], fallback: "final" },
    routed: near(0.86 + 0.01 * wobble(at), SAMPLES),
    cost: role === "static" ? 1 : 0.45 + 0.05 * wobble(at),
  };
}

const robustness = (blocks: readonly Block[]): StudyRecord["questions"]["robustness"] =>
  blocks.flatMap(({ name }, i) =>
    RADII.map((radius, r) => {
      const [fixed, routed] = [0.4 + 0.2 * r + 0.04 * wobble(i), 0.36 + 0.2 * r + 0.04 * wobble(i + 50)];
      const difference = fixed - routed;
      return {
        ...{
          block: name,
          eligible: 400,
          radius,
          both: 120 + 60 * r,
          onlyStatic: 40 + i,
          onlyRouted: 24 + i,
          exact: 0.04,
        },
        ...{ static: near(fixed), routed: near(routed), final: near(routed + 0.02) },
        difference: { value: difference, low: difference - 0.05, high: difference + 0.05 },
      };
    }),
  );

const ATTACKS: StudyRecord["attacks"] = [
  attack("pgd", "fixed budget", "linf", PRIMARY, { steps: 20, stepSize: 1 / 255, restarts: 2 }),
  attack("mim", "fixed budget", "linf", PRIMARY, { steps: 20, decay: 1 }),
  attack("square", "query", "linf", PRIMARY, { queries: 2000 }),
  attack("fmn", "minimum norm", "l2", null, { steps: 100 }),
  attack("deepsloth", "slowdown", "linf", PRIMARY, { steps: 30 }),
  attack("sign noise", "control", "linf", PRIMARY, { start: "sign" }),
];

function attack(
  name: string,
  family: StudyRecord["attacks"][number]["family"],
  norm: string,
  radius: number | null,
  parameters: StudyRecord["attacks"][number]["parameters"],
): StudyRecord["attacks"][number] {
  return {
    name,
    goal: family === "slowdown" ? "slowdown" : "misclassify",
    method: name,
    norm,
    radius,
    family,
    parameters,
  };
}

function kinship(
  a: StudyRecord["networks"][number],
  b: StudyRecord["networks"][number],
  blocks: readonly Block[],
): Kinship {
  if (a === b) return "same";
  if (a.block === b.block && [a, b].every(({ role }) => role !== "joint")) return "shared";
  const cellOf = ({ block }: { readonly block: string }) => blocks.find(({ name }) => name === block)?.cell;
  return cellOf(a) === cellOf(b) ? "same-arch" : "cross-arch";
}

const SUCCESS = { same: 0.95, shared: 0.8, "same-arch": 0.45, "cross-arch": 0.25 } as const;

const within = (value: number) => ({ value, low: value - 0.05, high: value + 0.05 });

function transfer(blocks: readonly Block[], networks: StudyRecord["networks"]): StudyRecord["questions"]["transfer"] {
  const matrices = [...new Set(blocks.map(({ data }) => data))].flatMap((data) => {
    const own = networks.filter(({ block }) => blocks.some((b) => b.name === block && b.data === data));
    const names = own.map(({ name }) => name);
    const relations = own.map((a) => own.map((b) => kinship(a, b, blocks)));
    return ATTACKS.slice(0, 2).map(({ name, radius }, i) => ({
      ...{ data, attack: name, radius, surrogates: names, targets: names, eligible: 400, kinship: relations },
      success: relations.map((row, r) =>
        row.map((relation, c) => (r === 1 && c === 0 ? null : near(SUCCESS[relation] + 0.05 * wobble(r + 7 * c + i)))),
      ),
    }));
  });
  const effects = blocks.flatMap(({ name }, i) =>
    ATTACKS.slice(0, 3).flatMap((a, j) =>
      ["final", "routed"].map((objective, k) => ({
        ...{ block: name, attack: a.name, objective, radius: a.radius },
        asymmetry: within(0.06 + 0.04 * wobble(i + 5 * j + k)),
        surrogate: within(0.04 + 0.03 * wobble(i + j + 9)),
        target: j === 2 ? null : within(0.02 + 0.03 * wobble(i + j + 21)),
      })),
    ),
  );
  return { matrices, effects, overall: overallOf(effects) };
}

/** A record with every section filled.
 * @param cells 1 to 6 architectures on data sets
 * @param seeds blocks per cell */
export function studyRecord(cells = 2, seeds = 2): StudyRecord {
  const blocks = blocksOf(cells, seeds);
  const roles: Role[] = ["static", "joint", "ic-only"];
  const networks = blocks.flatMap((block, i) => roles.map((role, j) => networkOf(block, role, 3 * i + j)));
  return {
    ...FRAME,
    data: [...new Set(blocks.map(({ data }) => data))].map((name) => ({
      ...{ name, samples: SAMPLES, validation: 1000, classes: name === "cifar10" ? 10 : 100 },
    })),
    ...{ networks, blocks, attacks: ATTACKS },
    ...claimsAndCells(blocks),
    questions: {
      robustness: robustness(blocks),
      transfer: transfer(blocks, networks),
      yield: yields(blocks),
      cost: costShifts(blocks, ATTACKS),
      firstExit: firstExits(blocks),
      early: earlyAttack(blocks),
    },
    notRun: [{ what: "vgg16-w0.25/cifar100", why: "No network of this cell is trained." }],
  };
}

const FRAME: Pick<
  StudyRecord,
  "schemaVersion" | "tool" | "name" | "tier" | "plan" | "seed" | "radius" | "environment"
> = {
  schemaVersion: 2,
  tool: { name: "dynn", version: "0.1.0" },
  ...{ name: "dynamic networks", tier: "small", seed: 7, radius: { primary: PRIMARY, all: RADII } },
  plan: {
    sha256: "c0ffee".padEnd(64, "0"),
    edited: false,
    text: '{\n  "name": "dynamic networks",\n  "tier": "small"\n}',
  },
  environment: { versions: ["dynn 0.1.0"], machines: ["made, 2 cores, linux x64"], seconds: 12_345 },
};

/** A record whose plan asks about one claim, without any network. */
export const sparseStudyRecord = (): StudyRecord => ({
  ...FRAME,
  ...{ name: "one claim", tier: null, data: [], networks: [], blocks: [], attacks: [], cells: [], notRun: [] },
  verdicts: [
    {
      ...studyRecord().verdicts[0],
      ...{ verdict: "inconclusive", effect: null, p: null, adjusted: null, blocks: 0, cells: { agree: 0, all: 0 } },
      ...{ power: null, reason: "No block has a static and a dynamic network.", checks: [] },
    },
  ],
  questions: {
    ...{ robustness: [], yield: [], cost: [], firstExit: [] },
    transfer: { matrices: [], effects: [], overall: [] },
    early: { rows: [], coefficients: [] },
  },
  environment: { versions: [], machines: [], seconds: 0 },
});
