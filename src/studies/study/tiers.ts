/** @file The built-in studies: the same questions on networks of the zoo, at three sizes. Source:
 *  docs/study.md, "Tiers". */
import type { StudyFileInput } from "../../schema/study/file.js";
import type { Role } from "../../schema/study/record.js";
import type { StudyTier, ZooData, ZooIndex, ZooNetwork } from "../../schema/zoo.js";
import { battery } from "./battery.js";

/** Options of {@link tierFile}. */
export interface TierOptions {
  /** Folder that holds the unpacked CIFAR archives. The demo needs none. */
  readonly data: string | undefined;
  readonly samples?: number | undefined;
}

/** The study file of a tier. */
export const tierFile = (tier: StudyTier, index: ZooIndex, options: TierOptions): StudyFileInput =>
  tier === "demo" ? demo(options) : zooStudy(tier, index, options);

/** Attacks that the demo leaves out, because each takes as long as several others. */
const SLOW: ReadonlySet<string> = new Set(["dim", "vmi", "white-square", "white-square-routed"]);
const DEMO_RADIUS = { transfer: 4 / 255, whiteBox: 1 / 255, shown: [] };

const demo = ({ samples = 100 }: TierOptions): StudyFileInput => ({
  name: "demo",
  samples,
  checkSamples: Math.min(20, samples),
  validation: 300,
  radius: DEMO_RADIUS,
  attacks: battery(DEMO_RADIUS).filter(({ name }) => !SLOW.has(name)),
  data: { sample: { records: "sample" } },
  blocks: [
    {
      ...{ cell: "resnet20-cifar10", architecture: "resnet20", data: "sample" },
      networks: { static: "zoo:resnet20-cifar10-static", joint: "zoo:resnet20-cifar10-joint" },
    },
  ],
  timing: true,
});

/** Images of each tier. */
const SAMPLES = { small: 500, paper: 1000 } as const;

function zooStudy(
  tier: "small" | "paper",
  { networks }: ZooIndex,
  { data = "data", samples }: TierOptions,
): StudyFileInput {
  const own = Object.entries(networks).filter(([, network]) => network.tier === tier);
  const sets = [...new Set(own.map(([, network]) => network.data))];
  return {
    name: tier,
    samples: samples ?? SAMPLES[tier],
    data: Object.fromEntries(sets.map((set) => [set, { records: `${set}:${data}` }])),
    blocks: blocksOf(own),
  };
}

function blocksOf(own: readonly (readonly [string, ZooNetwork])[]): StudyFileInput["blocks"] {
  const blocks = new Map<
    string,
    { cell: string; architecture: string; data: ZooData; seed: number; networks: Partial<Record<Role, string>> }
  >();
  for (const [name, { architecture, width, data }] of own) {
    const role = roleOf(name);
    if (role === undefined) continue;
    const seed = Number(/-s(\d+)$/.exec(name)?.[1] ?? 1);
    const cell = `${architecture}${width === 1 ? "" : `-w${width}`}-${data}`;
    const block = blocks.get(`${cell}-s${seed}`) ?? { cell, architecture, data, seed, networks: {} };
    block.networks[role] = `zoo:${name}`;
    blocks.set(`${cell}-s${seed}`, block);
  }
  return [...blocks.values()];
}

/** The part of each recipe, as names of networks write it. */
const ROLE_OF: Readonly<Record<string, Role>> = {
  static: "static",
  joint: "joint",
  "ic-only": "ic-only",
  "ic-only-dense": "dense",
  "joint-dense": "dense-joint",
  "joint-dense-g0.1": "dense-joint-g0.1",
  "joint-dense-g0.3": "dense-joint-g0.3",
};

/** The part that a network of the zoo has, by its name. */
function roleOf(name: string): Role | undefined {
  const recipe = /-cifar100?-(.+?)(?:-s\d+)?$/.exec(name)?.[1];
  return ROLE_OF[recipe ?? ""];
}
