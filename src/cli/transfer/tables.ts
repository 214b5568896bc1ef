/** @file Prints the transfer record as tables for a terminal. */
import { counted } from "../../core/units.js";
import { budget } from "../../report/shared/format.js";
import { batchLine } from "../../report/shared/memory.js";
import type { TransferAttack, TransferRecord } from "../../schema/transfer-record.js";
import { heading, percent, showRate, table } from "../shared/table.js";

export const transferTables = (record: TransferRecord): string =>
  [
    heading(`${counted(record.networks.length, "network")} on ${record.data.name}`),
    `${counted(record.data.samples, "sample")}, seed ${record.data.seed}; ${record.eligible} of them are right on every network and are attacked\n`,
    batchLine(record.memory),
    heading("Networks, clean images"),
    table(
      [{ head: "network", align: "left" }, { head: "exits" }, { head: "accuracy, routed" }, { head: "mean cost" }],
      record.networks.map((n) => [n.name, String(n.exits), showRate(n.accuracy), percent(n.meanCostFraction)]),
    ),
    ...record.attacks.map((attack) => matrix(attack, record)),
    NOTE,
  ].join("");

const NOTE =
  "\nShare of the attacked samples whose routed answer the target gets wrong, images rounded to 8 bits.\nIn brackets: 95 % Wilson intervals. On the diagonal the attacker sees the target itself.\n";

const matrix = (attack: TransferAttack, { networks }: TransferRecord): string =>
  heading(`${attack.name}, ${attack.goal}, ${budget(attack.norm, attack.radius)}`) +
  table(
    [{ head: "surrogate \\ target", align: "left" }, ...networks.map(({ name }) => ({ head: name }))],
    attack.success.map((row, i) => [networks[i].name, ...row.map(showRate)]),
  );
