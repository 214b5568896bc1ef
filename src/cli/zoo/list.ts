/** @file `dynn zoo list`: what is trained, and where its file is. */

import type { Command } from "commander";
import { counted } from "../../core/units.js";
import { localPlace } from "../../node/zoo/places.js";
import { TIERS, type Tier, type ZooNetwork } from "../../schema/zoo.js";
import { common } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { checkJson, printWithJson } from "../shared/json-output.js";
import { oneOf, option, text } from "../shared/options.js";
import { type Column, heading, percent, table } from "../shared/table.js";
import { chosen, openIndex } from "./networks.js";

interface ListFlags {
  readonly tier?: Tier;
  readonly json?: string;
}

export const tierOption = (tiers: readonly [Tier, ...Tier[]] = TIERS) =>
  option("--tier <name>", `networks of one tier: ${tiers.join(", ")}`, oneOf(tiers));

/** The folder of the data sets of the zoo. */
export const archivesOption = (about: string) => option("--data <dir>", about, text);

export const listCommand = (command: Command, io: Io): Command =>
  command
    .addOption(tierOption())
    .addOption(common("json"))
    .action(async ({ tier, json }: ListFlags) => {
      await checkJson(json);
      const networks = chosen(await openIndex(), [], tier).map(([name, network]) => ({
        ...{ name, place: localPlace(name) ?? null, network },
      }));
      const value = networks.map(({ network, ...rest }) => ({ ...rest, ...network }));
      await printWithJson(io, json, { value, text: () => show(networks) });
    });

interface Listed {
  readonly name: string;
  readonly place: string | null;
  readonly network: ZooNetwork;
}

/** One table for each tier. It fits 80 columns, so it has no intervals; `zoo info` has them. */
function show(networks: readonly Listed[]): string {
  const trained = networks.filter(({ network }) => network.result).length;
  const tables = TIERS.flatMap((tier) => {
    const rows = networks
      .filter(({ network }) => network.tier === tier)
      .map(({ name, network, place }) => [name, ...figures(network), stateOf(network, place)]);
    return rows.length === 0 ? [] : [`${heading(`Tier ${tier}`)}${table(COLUMNS, rows)}`];
  });
  return `${tables.join("")}\n${trained} of ${counted(networks.length, "network is", "networks are")} trained.\n${LEGEND}`;
}

const LEGEND = `"final": accuracy of the final exit on test images.
"rad 5 %", "cost": accuracy and cost of the policy that gives up 5 % of it.
"file": where it is; "away": dynn zoo get fetches it. A row of "-": not trained.
`;

const COLUMNS: readonly Column[] = [
  { head: "network", align: "left" },
  { head: "final" },
  { head: "rad 5 %" },
  { head: "cost" },
  { head: "MB" },
  { head: "file", align: "left" },
];

function figures({ result }: ZooNetwork): string[] {
  if (!result) return ["-", "-", "-", "-"];
  const final = result.exits.at(-1)?.test;
  const routed = result.routed[0];
  return [
    final ? percent(final.right / final.count) : "-",
    routed ? percent(routed.test.right / routed.test.count) : "-",
    routed ? percent(routed.cost) : "-",
    (result.file.bytes / 1e6).toFixed(1),
  ];
}

const stateOf = ({ result }: ZooNetwork, place: string | null): string => (result ? (place ?? "away") : "-");
