/** @file `dynn inspect`: shows the contents of a model file. */

import type { Command } from "commander";
import { present } from "../../core/present.js";
import { showShape } from "../../core/shape.js";
import { counted, showCount } from "../../core/units.js";
import type { DynamicModel, Gate } from "../../dynamic/model/model.js";
import { cumulativeMacs, nodeMacs } from "../../graph/cost.js";
import { findCuts } from "../../graph/cuts.js";
import type { Node } from "../../graph/graph.js";
import { printGraph } from "../../graph/printer.js";
import { openModel } from "../../node/models.js";
import { opTable } from "../../ops/table.js";
import type { ModelCard } from "../../schema/model-card.js";
import { readCard } from "../../training/run/card.js";
import { cardTable } from "../shared/card-table.js";
import { type CommonFlags, common, type HeadFlags, headsOfFlags } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { checkJson, printWithJson } from "../shared/json-output.js";
import { heading, percent, showNumbers, showPolicy, table } from "../shared/table.js";

interface InspectFlags extends HeadFlags, CommonFlags<never, "imageSize" | "json"> {
  readonly graph?: boolean;
}

export const inspectCommand = (command: Command, io: Io): Command =>
  command
    .addOption(common("imageSize"))
    .addOption(common("exits"))
    .addOption(common("final"))
    .option("--graph", "print the graph, one line per node, as dynn reads it (constants folded)")
    .addOption(common("json"))
    .addHelpText("after", HELP)
    .action((model: string, flags: InspectFlags) => inspectAction(model, flags, io));

const HELP = `
Examples:
  $ dynn inspect zoo:resnet20-joint
  $ dynn inspect model.onnx --image-size 224,224
  $ dynn inspect model.onnx --graph | less`;

/** A gate: the values that make it, what it saves when it is closed, and the first exit behind
 * it. */
interface InspectedGate extends Pick<Gate, "name" | "score" | "value" | "branch" | "macs" | "costFraction"> {
  readonly exit: string;
}

/** The results of inspect as data. */
export interface Inspection {
  readonly name: string;
  readonly input: DynamicModel["input"];
  readonly classes: number;
  readonly parameters: number;
  readonly opset: number;
  readonly normalization: DynamicModel["normalization"] | null;
  /** What dynn changed on reading. */
  readonly changes: DynamicModel["changes"];
  /** Why images run one at a time. */
  readonly oneByOne: string | null;
  /** What quantized operators mean for answers and gradients. */
  readonly quantization: string | null;
  /** 255 when the file takes pixels in 0 to 255. `normalization` is for pixels in [0,1] then
   * too. */
  readonly inputScale: 255 | 1;
  readonly policy: DynamicModel["policy"] | null;
  /** The model card, when `dynn train` made the model. */
  readonly card: ModelCard | null;
  readonly exits: readonly {
    readonly name: string;
    readonly cut: string | null;
    readonly macs: number;
    readonly costFraction: number;
    /** MACs with all gates closed. Only for a network with gates. */
    readonly baseMacs?: number;
  }[];
  /** Only for a network with gates. */
  readonly gates?: readonly InspectedGate[];
  readonly cuts: readonly {
    readonly value: string;
    readonly shape: readonly (number | string)[];
    readonly macs: number;
    readonly costFraction: number;
  }[];
  readonly ops: readonly {
    readonly opType: string;
    readonly count: number;
    readonly macs: number;
    readonly gradient: string;
  }[];
}

async function inspectAction(spec: string, flags: InspectFlags, io: Io): Promise<void> {
  await checkJson(flags.json);
  const model = await openModel(spec, {
    ...(flags.imageSize && { imageSize: flags.imageSize }),
    ...headsOfFlags(flags),
  });
  if (flags.graph) return io.out(`${printGraph(model.graph)}\n`);
  const found = inspect(model);
  await printWithJson(io, flags.json, { value: found, text: () => show(found) });
}

/** All facts that inspect shows of a model. */
export function inspect(model: DynamicModel): Inspection {
  const { graph } = model;
  const costs = nodeMacs(graph, opTable);
  const full = model.exits.at(-1)?.macs ?? 0;
  const share = (macs: number) => (full > 0 ? macs / full : 1);
  const values = findCuts(graph, model.input.name, present(model.exits.at(-1), "the final exit").logits);
  const macs = cumulativeMacs(graph, values, costs);
  const cuts = values.map((value, i) => ({
    ...{ value, shape: graph.types.get(value)?.shape ?? [], macs: macs[i], costFraction: share(macs[i]) },
  }));
  return {
    name: model.name,
    input: model.input,
    classes: model.classes,
    parameters: model.parameters,
    opset: graph.opset,
    normalization: model.normalization ?? null,
    changes: model.changes,
    oneByOne: model.oneByOne ?? null,
    quantization: model.quantization ?? null,
    inputScale: model.inputScale ?? 1,
    policy: model.policy ?? null,
    card: readCard(model.metadata, model.name) ?? null,
    ...unitsOf(model),
    cuts,
    ops: opCounts(graph.nodes, costs),
  };
}

/** Exits, and gates where the model has some. */
function unitsOf({ exits, gates }: DynamicModel): Pick<Inspection, "exits" | "gates"> {
  const gated = gates.length > 0;
  return {
    exits: exits.map(({ name, cut = null, macs, costFraction, baseMacs }) => ({
      ...{ name, cut, macs, costFraction },
      ...(gated ? { baseMacs } : {}),
    })),
    ...(gated
      ? {
          gates: gates.map(({ name, score, value, branch, macs, costFraction, exit }) => ({
            ...{ name, score, value, branch, macs, costFraction },
            exit: present(exits[exit], "the exit behind the gate").name,
          })),
        }
      : {}),
  };
}

function opCounts(nodes: readonly Node[], costs: ReadonlyMap<Node, number>): Inspection["ops"] {
  const byType = new Map<string, Node[]>();
  for (const node of nodes) {
    const alike = byType.get(node.opType);
    if (alike) alike.push(node);
    else byType.set(node.opType, [node]);
  }
  return [...byType]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([opType, list]) => {
      const { vjp } = opTable.get(list[0]);
      return {
        opType,
        count: list.length,
        macs: list.reduce((sum, node) => sum + (costs.get(node) ?? 0), 0),
        gradient: typeof vjp === "function" ? "yes" : `none: ${vjp.none}`,
      };
    });
}

/** The normalisation as the file has it, and what dynn feeds. */
function pixelsLine({ normalization, inputScale }: Inspection): string {
  const own = (values: readonly number[]) => showNumbers(values.map((v) => inputScale * v));
  const { mean, std } = normalization ?? { mean: [0], std: [1] };
  return `normalisation inside: mean ${own(mean)}, std ${own(std)}: the file takes pixels in 0 to 255. dynn takes pixels in [0,1] and multiplies them.\n`;
}

const exitTable = ({ exits }: Inspection): string => {
  const gated = exits.some(({ baseMacs }) => baseMacs !== undefined);
  const closed = gated ? [{ head: "all gates closed" }] : [];
  return table(
    [{ head: "exit", align: "left" }, { head: "MACs" }, { head: "cost" }, ...closed, { head: "cut", align: "left" }],
    exits.map(({ name, macs, costFraction, baseMacs, cut }) => [
      ...[name, showCount(macs), percent(costFraction)],
      ...(baseMacs === undefined ? [] : [percent((baseMacs / Math.max(1, macs)) * costFraction)]),
      cut ?? "-",
    ]),
  );
};

const gateTable = ({ gates = [] }: Inspection): string =>
  gates.length === 0
    ? ""
    : `${heading("Gates (what a closed gate saves)")}${table(
        [
          { head: "gate", align: "left" },
          { head: "MACs" },
          { head: "cost" },
          { head: "before exit", align: "left" },
          { head: "branch", align: "left" },
        ],
        gates.map(({ name, macs, costFraction, exit, branch }) => [
          name,
          showCount(macs),
          percent(costFraction),
          exit,
          branch,
        ]),
      )}`;

const show = (i: Inspection): string =>
  [
    heading(i.name),
    `input ${i.input.name} float32${showShape(i.input.shape)}, ${counted(i.classes, "class", "classes")}, ${showCount(i.parameters)} parameters, opset ${i.opset}\n`,
    i.inputScale === 255
      ? pixelsLine(i)
      : i.normalization
        ? `normalisation inside: mean ${showNumbers(i.normalization.mean)}, std ${showNumbers(i.normalization.std)}\n`
        : "normalisation inside: none found at the start of the graph\n",
    i.oneByOne === null ? "" : `runs one image at a time, because ${i.oneByOne}\n`,
    i.policy ? `policy: ${showPolicy(i.policy)}\n` : "",
    i.changes.length > 0 ? `${heading("What dynn changed on reading")}${i.changes.join("\n")}\n` : "",
    i.quantization === null ? "" : `${heading("Quantization")}${i.quantization}\n`,
    heading("Exits"),
    exitTable(i),
    gateTable(i),
    i.card ? cardTable(i.card) : "",
    heading("Legal cuts (one value separates before from after)"),
    i.cuts.length > 0
      ? table(
          [{ head: "value", align: "left" }, { head: "shape", align: "left" }, { head: "MACs" }, { head: "cost" }],
          i.cuts.map((c) => [c.value, showShape(c.shape), showCount(c.macs), percent(c.costFraction)]),
        )
      : "none\n",
    heading("Operators"),
    table(
      [{ head: "operator", align: "left" }, { head: "nodes" }, { head: "MACs" }, { head: "gradient", align: "left" }],
      i.ops.map((o) => [o.opType, String(o.count), showCount(o.macs), o.gradient]),
    ),
  ].join("");
