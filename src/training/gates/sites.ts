/** @file Chooses the residual blocks that get gates, and names them. */
import { DynnError } from "../../core/errors.js";
import type { Graph } from "../../graph/graph.js";
import { findResidualBlocks, type ResidualBlock } from "../../graph/residual.js";
import { opTable } from "../../ops/table.js";

/** Which blocks get gates. same-size: blocks whose shortcut is their input. all: also blocks that
 * change the size. The first block of a network always runs. */
export const GATE_PLACES = ["same-size", "all"] as const;
/** The name of a choice of blocks. */
export type GatePlaces = (typeof GATE_PLACES)[number];

/** A residual block with a name. */
export interface NamedBlock extends ResidualBlock {
  /** The block's name, e.g. stage1.block1. */
  readonly name: string;
}

/** The names of a block's sum in networks that dynn makes, and in exports of PyTorch
 * (`/layer1/layer1.0/Add_output_0`). */
const SUM = /^(?:(.+)\.(?:add|out)|.*\/([^/]+)\/Add(?:_\d+)?_output_0)$/;

/** All residual blocks of a network in order, named after their sums, or else by their number. */
export function namedBlocks(graph: Graph): NamedBlock[] {
  const names = new Set<string>();
  return findResidualBlocks(graph, opTable).map((block, i) => {
    const [, dotted, exported] = SUM.exec(block.sum) ?? [];
    const own = dotted ?? exported;
    const name = own === undefined || names.has(own) ? `block${i}` : own;
    names.add(name);
    return { ...block, name };
  });
}

/** The blocks that get gates.
 * @throws DynnError 'training/config' when the network has none */
export function gateSites(graph: Graph, places: GatePlaces): NamedBlock[] {
  const blocks = namedBlocks(graph);
  const sites = blocks.slice(1).filter(({ identity }) => identity || places === "all");
  if (sites.length > 0) return sites;
  throw new DynnError(
    "training/config",
    `${graph.name}: has ${blocks.length} residual blocks, and none that a gate could skip. A gate needs a sum of a block's input and of a branch that nothing else reads, behind the first such sum. Take a residual network, e.g. resnet20.`,
    { blocks: blocks.length },
  );
}
