/** @file `dynn zoo list`: what is trained, and where its file is. */

import type { Command } from "commander";
import { counted } from "../../core/units.js";
import { wilson } from "../../measures/wilson.js";
import { localPlace } from "../../node/zoo/places.js";
import { TIERS, type Tier, type ZooNetwork } from "../../schema/zoo.js";
import { common } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { checkJson, printWithJson } from "../shared/json-output.js";
import { oneOf, option, text } from "../shared/options.js";
import { type Column, percent, showRate, table } from "../shared/table.js";
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

function show(networks: readonly Listed[]): string {
  const trained = networks.filter(({ network }) => network.result).length;
  const rows = networks.map(({ name, network, place }) => [
    ...[name, network.tier, ...figures(network), stateOf(network, place)],
  ]);
  return `${table(COLUMNS, rows)}\n${trained} of ${counted(networks.length, "network is", "networks are")} trained.\n`;
}

const COLUMNS: readonly Column[] = [
  { head: "network", align: "left" },
  { head: "tier", align: "left" },
  { head: "final exit, test" },
  { head: "rad 5 %: accuracy" },
  { head: "cost" },
  { head: "MB" },
  { head: "file", align: "left" },
];

function figures({ result }: ZooNetwork): string[] {
  if (!result) return ["-", "-", "-", "-"];
  const final = result.exits.at(-1)?.test;
  const routed = result.routed[0];
  return [
    final ? showRate(wilson(final.right, final.count)) : "-",
    routed ? percent(routed.test.right / routed.test.count) : "-",
    routed ? percent(routed.cost) : "-",
    (result.file.bytes / 1e6).toFixed(1),
  ];
}

const stateOf = ({ result }: ZooNetwork, place: string | null): string =>
  result ? (place ?? "not on this machine") : "not trained";
