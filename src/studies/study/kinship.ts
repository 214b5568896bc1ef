/** @file How the networks of a plan are related, and which of them are compared. Source:
 *  docs/study.md, "Units": weight sharing is a factor, and claims about black boxes leave out
 *  networks that share weights. */
import { present } from "../../core/present.js";
import type { PlannedBlock, StudyPlan } from "../../schema/study/plan.js";
import type { Kinship, Role } from "../../schema/study/record.js";

/** A network in its block. */
export interface Placed {
  readonly block: PlannedBlock;
  readonly role: Role;
  readonly network: string;
}

/** Parts whose networks begin with the weights of the static network and keep them. */
const FROZEN: ReadonlySet<Role> = new Set(["static", "ic-only", "dense"]);

/** How two networks are related. */
export function kinshipOf(a: Placed, b: Placed): Kinship {
  if (a.network === b.network) return "same";
  if (a.block.name === b.block.name && FROZEN.has(a.role) && FROZEN.has(b.role)) return "shared";
  return a.block.architecture === b.block.architecture ? "same-arch" : "cross-arch";
}

/** The network of a part of a block. Undefined when the plan lacks it. */
export function placed(block: PlannedBlock, role: Role): Placed | undefined {
  const network = block.networks[role];
  return network === undefined ? undefined : { block, role, network };
}

/** All networks of some parts on one data set. */
export const placedOn = ({ blocks }: StudyPlan, data: string, roles: readonly Role[]): Placed[] =>
  blocks.filter((block) => block.data === data).flatMap((block) => roles.flatMap((role) => placed(block, role) ?? []));

/** The data sets that blocks of a plan use, in order. */
export const dataOf = ({ blocks }: StudyPlan): string[] => [...new Set(blocks.map(({ data }) => data))];

/** The block of a network. */
export const placeOf = ({ blocks }: StudyPlan, network: string): Placed =>
  present(
    blocks
      .flatMap((block) =>
        (Object.entries(block.networks) as [Role, string][]).map(([role, name]) => ({ block, role, network: name })),
      )
      .find((each) => each.network === network),
    `the block of ${network}`,
  );
