/** @file How the networks of a plan are related, and which of them are compared. Source:
 *  docs/study.md, "Units": weight sharing is a factor, and claims about black boxes leave out
 *  networks that share weights. */
import { present } from "../../core/present.js";
import type { PlannedBlock, StudyPlan } from "../../schema/study/plan.js";
import type { Kinship, Role } from "../../schema/study/record.js";

/** A block as questions read it. */
export interface StudyBlock extends PlannedBlock {
  /** The network of the part joint is the one that skips blocks, see {@link skippingBlocks}. */
  readonly skips?: true;
}

/** The blocks of a plan with the networks that skip blocks in place of the joint ones. Empty for a
 * plan without such networks. */
export function skippingBlocks({ blocks }: Pick<StudyPlan, "blocks">): StudyBlock[] {
  if (blocks.every(({ networks }) => networks.gates === undefined)) return [];
  return blocks.map((block) => {
    const { static: fixed, gates } = block.networks;
    return { ...block, skips: true, networks: { ...(fixed && { static: fixed }), ...(gates && { joint: gates }) } };
  });
}

/** A network in its block. */
export interface Placed {
  readonly block: StudyBlock;
  readonly role: Role;
  readonly network: string;
}

/** Parts whose networks begin with the weights of the static network and keep them. */
const FROZEN: ReadonlySet<Role> = new Set(["static", "ic-only", "dense"]);

/** The training of a network that skips blocks begins with the static one. */
const sharesStatic = ({ block, role }: Placed): boolean =>
  FROZEN.has(role) || (block.skips === true && role === "joint");

/** How two networks are related. */
export function kinshipOf(a: Placed, b: Placed): Kinship {
  if (a.network === b.network) return "same";
  if (a.block.name === b.block.name && sharesStatic(a) && sharesStatic(b)) return "shared";
  return a.block.architecture === b.block.architecture ? "same-arch" : "cross-arch";
}

/** The network of a part of a block. Undefined when the plan lacks it. */
export function placed(block: StudyBlock, role: Role): Placed | undefined {
  const network = block.networks[role];
  return network === undefined ? undefined : { block, role, network };
}

interface Blocks {
  readonly blocks: readonly StudyBlock[];
}

/** All networks of some parts on one data set. */
export const placedOn = ({ blocks }: Blocks, data: string, roles: readonly Role[]): Placed[] =>
  blocks.filter((block) => block.data === data).flatMap((block) => roles.flatMap((role) => placed(block, role) ?? []));

/** The data sets that blocks of a plan use, in order. */
export const dataOf = ({ blocks }: Blocks): string[] => [...new Set(blocks.map(({ data }) => data))];

/** The block of a network. */
export const placeOf = ({ blocks }: Blocks, network: string): Placed =>
  present(
    blocks
      .flatMap((block) =>
        (Object.entries(block.networks) as [Role, string][]).map(([role, name]) => ({ block, role, network: name })),
      )
      .find((each) => each.network === network),
    `the block of ${network}`,
  );
