/** @file AutoAttack: several attacks without parameters to choose, one after the other. Each begins
 *  at the clean image, and only samples that withstand one meet the next. Source: Croce & Hein
 *  2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
 *  parameter-free attacks", section 4, and the versions of the authors' code. */

import { DynnError } from "../../core/errors.js";
import type { Norm } from "../../schema/norm.js";
import { checkClasses, type Victim } from "../goals/victim.js";
import { choice, count, valuesOf, type Written, words } from "../parameters.js";
import type { FoundImage, Search } from "../question.js";
import { apgdCe, apgdDlr, apgdT } from "./apgd.js";
import { searchOf } from "./bind.js";
import { fab, fabT } from "./fab.js";
import { type MethodDef, method, type Task } from "./method.js";
import { square } from "./square.js";

type MemberDef = Exclude<MethodDef, { scope: "set" }>;

/** The attacks that it can consist of. */
const MEMBERS = {
  "apgd-ce": apgdCe,
  "apgd-dlr": apgdDlr,
  "apgd-t": apgdT,
  fab,
  "fab-t": fabT,
  square,
} as const satisfies Readonly<Record<string, MethodDef>>;
type MemberName = keyof typeof MEMBERS;

type Settings = Readonly<Record<string, Written>>;

/** The members of a version, and what they have besides their defaults. */
const VERSIONS = {
  standard: {
    members: ["apgd-ce", "apgd-t", "fab-t", "square"],
    settings: (norm: Norm, name: MemberName): Settings =>
      norm !== "l1" ? {} : name === "apgd-ce" ? { restarts: 5 } : name === "apgd-t" ? { targets: 5 } : {},
  },
  plus: {
    members: ["apgd-ce", "apgd-dlr", "fab", "square", "apgd-t", "fab-t"],
    settings: (_: Norm, name: MemberName): Settings =>
      name === "apgd-ce" || name === "apgd-dlr" || name === "fab" ? { restarts: 5 } : {},
  },
  rand: { members: ["apgd-ce", "apgd-dlr"], settings: (): Settings => ({ eot: 20 }) },
  custom: { members: ["apgd-ce", "apgd-t", "fab-t", "square"], settings: (): Settings => ({}) },
} as const;
type Version = keyof typeof VERSIONS;

export interface AutoAttackOptions {
  readonly version: Version;
  /** Names with commas between them. */
  readonly members: string;
  readonly steps: number;
  readonly queries: number;
}

const namesOf = (members: string): MemberName[] => members.split(",") as MemberName[];
const lossOf = (name: MemberName) => ({ kind: MEMBERS[name].losses[0] });

/** @throws DynnError 'attack/unsupported' when the model has too few classes for a member */
export function checkMembers(members: string, where: string, victim: Victim): void {
  for (const name of namesOf(members)) checkClasses(lossOf(name), `${where}, ${name}`, victim);
}

/** Returns the first success, or what the first member found. The first member, which needs the
 * least work, attacks each of the tasks before the next one does.
 * @param tasks the same sample with one goal or several */
export function* attackInOrder(tasks: readonly Task[], options: AutoAttackOptions, victim: Victim): Search {
  let first: FoundImage | undefined;
  for (const name of namesOf(options.members))
    for (const task of tasks) {
      const found = yield* member(name, task.withLoss(lossOf(name)), options, victim);
      if (found.success) return found;
      first ??= found;
    }
  return first as FoundImage;
}

/** The search of one member, with the settings of the version. */
export function member(name: MemberName, task: Task, options: AutoAttackOptions, victim: Victim): Search {
  const { version, steps, queries } = options;
  const { norm, radius } = task.budget;
  const def = MEMBERS[name] as MemberDef;
  const written = { steps, queries, stopAtSuccess: true, ...VERSIONS[version].settings(norm, name) };
  const context = { norm, radius, size: task.sample.pixels.length, victim };
  return searchOf(def, task, valuesOf(def.parameters, written, name, context), victim);
}

export const autoattack = method({
  about: "several attacks one after the other, each only where the ones before failed",
  source: "Croce & Hein 2020",
  access: "gradient",
  scope: "sample",
  budget: "radius",
  norms: ["linf", "l2", "l1"],
  targeted: true,
  losses: [],
  aboutClasses: true,
  parameters: {
    version: choice(["standard", "plus", "rand", "custom"], "standard", "which attacks; `rand` is for random networks"),
    members: words(
      Object.keys(MEMBERS),
      ({ before }) => VERSIONS[before.version as Version].members.join(","),
      "the attacks in their order, for `custom`",
      "those of the version",
    ),
    steps: count(100, "steps of each attack with gradients"),
    queries: count(5000, "queries of `square`"),
  },
  check: ({ version, members }, where, { victim }) => {
    checkMembers(members, where, victim);
    if (version === "custom" || members === VERSIONS[version as Version].members.join(",")) return;
    throw new DynnError(
      "attack/config",
      `${where}, members: version "${version}" has its own members. Remove "members", or give "version": "custom".`,
      { version, members },
    );
  },
  start: (task, values, victim) => attackInOrder([task], values as AutoAttackOptions, victim),
});
