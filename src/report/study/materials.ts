/** @file What the study was made with: networks in their blocks, attacks with parameters, data. */
import { counted } from "../../core/units.js";
import { showThresholds } from "../../schema/policy.js";
import type { StudyAttack, StudyRecord } from "../../schema/study/record.js";
import { isRoutable } from "../../schema/units.js";
import * as write from "../shared/format.js";
import { html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, foldedTable } from "./figure.js";
import * as words from "./words.js";

type Network = StudyRecord["networks"][number];
type Exit = Network["exits"][number] & { readonly network: string };

const NETWORKS: readonly Column<Network>[] = [
  { head: "network", cell: nameCell },
  { head: "block and role", align: "left", cell: (n) => html`${words.unbroken(n.block)}<br><small>${n.role}</small>` },
  { head: "parameters", cell: (n) => write.count(n.parameters) },
  {
    head: "exits",
    cell: (n) => html`${n.exits.length}${n.gates ? html`<small>${counted(n.gates.length, "gate")}</small>` : NOTHING}`,
  },
  { head: "full cost, MACs", cell: (n) => write.count(n.exits[n.exits.length - 1].macs) },
  { head: "accuracy, routed", cell: (n) => write.rate(n.routed) },
  { head: "mean cost", cell: (n) => write.percent(n.cost) },
  { head: "policy", align: "left", cell: (n) => html`<div class="reason">${policyOf(n)}</div>` },
];

function nameCell({ name, spec, sha256 }: Network) {
  const from = [name, `zoo:${name}`].includes(spec) ? NOTHING : html`<small>${spec}</small>`;
  return html`${words.unbroken(name)}${from}<small>SHA-256 ${sha256.slice(0, 12)}</small>`;
}

function policyOf({ exits, policy, gates }: Network): string {
  if (!isRoutable({ exits, gates })) return "one exit";
  return `${policy.rule}, ${showThresholds(policy)}, fallback ${policy.fallback}`;
}

const EXITS: readonly Column<Exit>[] = [
  { head: "network and exit", cell: (e) => html`${words.unbroken(e.network)}<small>${e.name}</small>` },
  { head: "MACs", cell: (e) => write.count(e.macs) },
  { head: "cost", cell: (e) => write.percent(e.costFraction) },
  { head: "accuracy", cell: (e) => write.rate(e.accuracy) },
];

/** Blocks, networks, and the accuracy of every exit. */
export function networkSection({ networks, blocks }: StudyRecord): Section {
  const exits = networks.flatMap(({ name: network, exits: own }) => own.map((exit): Exit => ({ ...exit, network })));
  const body = html`${foldedTable("A block is one architecture on one data set with one training seed.", BLOCKS, blocks)}${foldedTable("Every network under its policy, on clean images.", NETWORKS, networks)}${foldedTable("Accuracy and cost of every exit, on clean images.", EXITS, exits)}`;
  return {
    id: "networks",
    title: "Networks and blocks",
    body: networks.length + blocks.length === 0 ? empty("The study has no network.") : body,
  };
}

const BLOCKS: readonly Column<StudyRecord["blocks"][number]>[] = [
  { head: "block", cell: (b) => words.unbroken(b.name) },
  { head: "cell", align: "left", cell: (b) => b.cell },
  { head: "architecture", align: "left", cell: (b) => b.architecture },
  { head: "data", align: "left", cell: (b) => b.data },
  { head: "seed", cell: (b) => b.seed },
];

const ATTACKS: readonly Column<StudyAttack>[] = [
  { head: "attack", cell: (a) => a.name },
  { head: "family", align: "left", cell: (a) => a.family },
  { head: "goal", align: "left", cell: (a) => a.goal },
  { head: "method", align: "left", cell: (a) => a.method },
  { head: "budget", align: "left", cell: (a) => budgetOf(a) },
  { head: "parameters", align: "left", cell: (a) => parametersOf(a) },
];

const NORMS = ["linf", "l2", "l1", "l0"] as const;

/** Radii of L∞ in 255ths, of other norms as decimals. A norm of an unknown name keeps its name. */
function budgetOf({ norm: name, radius }: StudyAttack): string {
  const norm = NORMS.find((known) => known === name);
  if (norm !== undefined) return write.budget(norm, radius);
  return `${name}, ${radius === null ? "no limit" : words.plain(radius)}`;
}

const parametersOf = ({ parameters }: StudyAttack) =>
  Object.entries(parameters).map(
    ([name, value]) =>
      html`<div>${name} = ${typeof value === "number" ? Number(value.toPrecision(6)) : String(value)}</div>`,
  );

/** Attacks, radii and data. */
export function attackSection({ attacks, radius, data }: StudyRecord): Section {
  const whiteBox = radius.whiteBox === undefined ? "" : ` White-box radius: ${words.radius(radius.whiteBox)}.`;
  const radii = `Primary radius: ${words.radius(radius.primary)}.${whiteBox} All radii: ${[...new Set(radius.all)]
    .sort((a, b) => a - b)
    .map(words.radius)
    .join(", ")}.`;
  return {
    id: "attacks",
    title: "Attacks and data",
    body: html`<p>${radii} Pixels lie in [0,1].</p>${
      attacks.length === 0
        ? empty("The record names no attack.")
        : table("Attacks and the parameters that define them.", ATTACKS, attacks)
    }${data.length === 0 ? empty("The record names no data set.") : table("Data sets: classes, samples that are attacked, and records that thresholds are chosen on.", DATA, data)}`,
  };
}

const DATA: readonly Column<StudyRecord["data"][number]>[] = [
  { head: "data set", cell: (d) => d.name },
  { head: "classes", cell: (d) => d.classes },
  { head: "samples", cell: (d) => d.samples },
  { head: "validation records", cell: (d) => d.validation },
];
