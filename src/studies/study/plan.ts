/** @file Makes the plan of a study from a study file and from what its networks and data are. */
import { parseAttackFile } from "../../attacks/spec.js";
import { DynnError } from "../../core/errors.js";
import { parseQuantity } from "../../core/units.js";
import type { StudyFile } from "../../schema/study/file.js";
import { PLAN_VERSION, type PlannedNetwork, type StudyPlan, studyPlanSchema } from "../../schema/study/plan.js";
import { CLAIMS, type Role } from "../../schema/study/record.js";
import { battery } from "./battery.js";
import { protocolClaims } from "./claims/protocol.js";

/** What is known of the networks and the data of a study file. */
export interface ResolvedStudy {
  /** By spec. Undefined: there is no such network yet. */
  readonly networks: ReadonlyMap<string, PlannedNetwork | undefined>;
  readonly data: StudyPlan["data"];
  readonly targets: StudyPlan["policy"]["targets"];
}

/** Options of {@link makePlan}. */
export interface PlanOptions {
  readonly tier: string | null;
  /** Version of dynn. */
  readonly version: string;
}

/** Makes a plan. Networks that do not exist yet are named as missing.
 * @throws DynnError 'study/value' when no block has a network, two have one name, or a network
 *  does not fit its part; 'attack/config' */
export function makePlan(file: StudyFile, resolved: ResolvedStudy, { tier, version }: PlanOptions): StudyPlan {
  const radius = radiiOf(file);
  checkParts(file, resolved);
  const blocks = file.blocks.map((block) => blockOf(block, resolved));
  if (blocks.every(({ networks }) => Object.keys(networks).length === 0))
    throw new DynnError(
      "study/value",
      `study ${file.name}: none of its networks exists on this machine. Let the study train them, train them with \`dynn zoo train\`, or name others.`,
      { missing: blocks.flatMap(({ missing }) => missing.map(({ network }) => network)) },
    );
  const attacks = file.attacks ?? battery(radius);
  checkAttacks(attacks);
  return studyPlanSchema.parse({
    schemaVersion: PLAN_VERSION,
    tool: { name: "dynn", version },
    ...{ name: file.name, tier, seed: file.seed, radius, data: resolved.data, blocks, attacks },
    policy: { rule: file.policy.rule, fallback: file.policy.fallback, targets: resolved.targets },
    networks: usedNetworks(file, resolved),
    questions: CLAIMS.filter((claim) => file.questions.includes(claim)),
    smallest: Object.fromEntries(CLAIMS.map((claim) => [claim, file.smallest[claim] ?? SMALLEST[claim]])),
    timing: file.timing,
  });
}

/** Claims speak of exits. Networks that skip blocks have a part of their own, which no verdict
 * reads.
 * @throws DynnError 'study/value' */
function checkParts({ blocks, name }: StudyFile, { networks }: ResolvedStudy): void {
  for (const block of blocks)
    for (const [role, spec] of Object.entries(block.networks)) {
      const network = networks.get(spec);
      const skips = (network?.gates ?? []).length > 0;
      if (network === undefined || skips === (role === "gates")) continue;
      const [is, todo] = skips ? ["skips blocks", "Give it the part gates"] : ["has no gates", "Give it another part"];
      throw new DynnError("study/value", `study ${name}: ${spec} has the part ${role}, but it ${is}. ${todo}.`, {
        ...{ study: name, network: spec, role },
      });
    }
}

/** Smallest effects of interest: those of the protocol. */
const SMALLEST = Object.fromEntries(
  protocolClaims().claims.map(({ id, endpoints: [{ smallest, reference }] }) => [id, smallest || reference]),
);

/** The name of a network in tables: its file, its name in the zoo, or that of its recipe. */
export const nameOf = (spec: string): string => spec.replace(/^(zoo|recipe):/, "").replace(/@.*$/, "");

function sameName(specs: readonly string[], study: string): DynnError {
  const names = specs.map(nameOf);
  const [first, second] = specs.filter((spec) => names.filter((name) => name === nameOf(spec)).length > 1);
  return new DynnError(
    "study/value",
    `study ${study}: ${first} and ${second} have the same name in tables. Give one of them another name.`,
    { networks: [first, second] },
  );
}

/** The networks of the blocks, each behind those that its training begins with. */
function usedNetworks({ blocks, name }: StudyFile, { networks }: ResolvedStudy): StudyPlan["networks"] {
  const byName = new Map([...networks].map(([spec, network]) => [nameOf(spec), network]));
  if (byName.size < networks.size) throw sameName([...networks.keys()], name);
  const used = new Map<string, PlannedNetwork>();
  const add = (name: string): void => {
    const network = byName.get(name);
    if (network === undefined) return;
    if (typeof network.training?.init === "string") add(network.training.init);
    used.set(name, network);
  };
  for (const block of blocks) for (const spec of Object.values(block.networks)) add(nameOf(spec));
  return Object.fromEntries(used);
}

function radiiOf({ radius }: StudyFile): StudyPlan["radius"] {
  const read = (value: number | string): number => parseQuantity(value, "radius");
  const transfer = read(radius.transfer);
  const shown = radius.shown.map(read).filter((value) => value !== transfer);
  return { transfer, whiteBox: read(radius.whiteBox), shown };
}

function blockOf(block: StudyFile["blocks"][number], { networks }: ResolvedStudy): StudyPlan["blocks"][number] {
  const entries = Object.entries(block.networks) as [Role, string][];
  const here = entries.filter(([, spec]) => networks.get(spec));
  return {
    name: block.name ?? `${block.cell}-s${block.seed}`,
    ...{ cell: block.cell, architecture: block.architecture ?? block.cell, data: block.data, seed: block.seed },
    networks: Object.fromEntries(here.map(([role, spec]) => [role, nameOf(spec)])),
    missing: entries.filter(([, spec]) => !networks.get(spec)).map(([role, spec]) => ({ role, network: nameOf(spec) })),
  };
}

/** @throws DynnError 'attack/config' */
function checkAttacks(attacks: StudyPlan["attacks"]): void {
  const entries = attacks.map(({ on: _on, uses: _uses, ...entry }) => entry);
  parseAttackFile(entries, "attacks of the study");
}
