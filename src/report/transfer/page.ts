/** @file The report of a transfer study: a heat map of surrogates and targets for each attack. It
 *  is a pure function of its record. Read by: cli. */

import { counted } from "../../core/units.js";
import { showThresholds } from "../../schema/policy.js";
import type { TransferAttack, TransferRecord } from "../../schema/transfer-record.js";
import { batchFacts, list, showValue } from "../audit/methods.js";
import * as write from "../shared/format.js";
import { type Html, html } from "../shared/html.js";
import { card, reportPage } from "../shared/page.js";
import { remarks } from "../shared/remarks.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { meanOf, transferShort } from "./short.js";

/** The page as text. */
export function renderTransfer(record: TransferRecord): string {
  const sections: Section[] = [
    ...record.attacks.map((attack, i) => attackSection(attack, i, record)),
    { id: "networks", title: "Networks", body: networkTable(record) },
    { id: "settings", title: "How this was measured", body: settings(record) },
  ];
  const { networks, data, eligible, attacks } = record;
  const named = counted(networks.length, "network");
  return reportPage({
    title: `Transfer between ${named}`,
    kind: "Transfer of attacks",
    heading: html`${named} <small>on ${data.name}</small>`,
    about: `${write.samples(data.samples)}, seed ${data.seed}. Rates come with their 95 % intervals.`,
    remarks: remarks(data.notes),
    cards: [
      card("attacked", String(eligible), "samples that every network gets right when clean"),
      ...attacks
        .slice(0, 3)
        .map((attack) =>
          card(
            `${attack.name}, transfer`,
            write.percent(meanOf(attack, false)),
            `white-box ${write.percent(meanOf(attack, true))}`,
          ),
        ),
    ],
    short: transferShort(record),
    sections,
  });
}

function attackSection(attack: TransferAttack, at: number, { networks }: TransferRecord): Section {
  const rows = attack.success.map((row, i) => ({ name: networks[i].name, row }));
  type Row = (typeof rows)[number];
  const columns: Column<Row>[] = [
    { head: "surrogate \\ target", cell: ({ name }) => name },
    ...networks.map(({ name }, j) => ({
      head: name,
      cell: ({ row }: Row) => write.rate(row[j]),
      shade: ({ row }: Row) => 1 - row[j].value,
    })),
  ];
  return {
    id: `attack-${at}`,
    title: attack.name,
    body: table(
      `${attack.goal}, ${write.budget(attack.norm, attack.radius)}: share of the attacked samples that the target gets wrong, images rounded to 8 bits. The redder, the more. On the diagonal the attacker sees the target itself.`,
      columns,
      rows,
    ),
  };
}

const networkTable = ({ networks }: TransferRecord): Html =>
  table<TransferRecord["networks"][number]>(
    "Each network under its policy, on clean images.",
    [
      { head: "network", cell: (n) => n.name },
      { head: "exits", cell: (n) => n.exits },
      { head: "parameters", cell: (n) => write.count(n.parameters) },
      { head: "MACs", cell: (n) => write.count(n.macs) },
      { head: "accuracy, routed", cell: (n) => write.rate(n.accuracy) },
      { head: "mean cost", cell: (n) => write.percent(n.meanCostFraction) },
    ],
    networks,
  );

const settings = ({ networks, attacks, tool, memory, seconds, eligible, data }: TransferRecord): Html =>
  list([
    ["samples", `${data.samples}, of which ${eligible} are right on every network when clean; all of these count`],
    ...networks.map((n): [string, string] => [
      n.name,
      n.exits === 1 ? "one exit" : `${n.policy.rule}, ${showThresholds(n.policy)}, fallback ${n.policy.fallback}`,
    ]),
    ...attacks.map((a): [string, string] => [
      a.name,
      `${a.method}: ${Object.entries(a.parameters)
        .map(([key, value]) => `${key} ${showValue(a.norm, key, value)}`)
        .join(", ")}`,
    ]),
    ["engine", `${tool.name} ${tool.version}`],
    ...batchFacts(memory),
    ["time", write.duration(seconds)],
  ]);
