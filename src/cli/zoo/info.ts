/** @file `dynn zoo info`: one network. */
import type { Command } from "commander";
import { counted, showCount } from "../../core/units.js";
import { wilson } from "../../measures/wilson.js";
import { localPlace } from "../../node/zoo/places.js";
import { BASELINES, showP } from "../../report/audit/skipping-words.js";
import { duration } from "../../report/shared/format.js";
import type { ZooIndex, ZooNetwork, ZooResult } from "../../schema/zoo.js";
import { common } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { checkJson, printWithJson } from "../shared/json-output.js";
import { heading, percent, showRate, table } from "../shared/table.js";
import { chosen, openIndex } from "./networks.js";

export const infoCommand = (command: Command, io: Io): Command =>
  command.addOption(common("json")).action(async (asked: string, { json }: { readonly json?: string }) => {
    await checkJson(json);
    const index = await openIndex();
    for (const [name, network] of chosen(index, [asked]))
      await printWithJson(io, json, { value: { name, ...network }, text: () => show(name, network, index) });
  });

function show(name: string, network: ZooNetwork, { data, aliases }: ZooIndex): string {
  const { architecture, width, recipe, tier, init, result } = network;
  const others = Object.entries(aliases).flatMap(([alias, own]) => (own === name ? [alias] : []));
  const facts = [
    `${architecture}${width === 1 ? "" : `, width ${width}`}, recipe ${recipe}, tier ${tier}${others.length > 0 ? `, also called ${others.join(", ")}` : ""}`,
    `data: ${network.data}. ${data[network.data]?.licence ?? ""}`,
    ...(init === null ? [] : [`begins with the weights of ${init}`]),
    ...network.runs.map(
      ({ epochs, seed, threads, learningRate, weightDecay, exits, backboneGradient }) =>
        `run: ${counted(epochs, "epoch")}, seed ${seed}, ${counted(threads, "thread")}${learningRate === undefined ? "" : `, learning rate ${learningRate}`}${weightDecay === undefined ? "" : `, weight decay ${weightDecay}`}${exits === undefined ? "" : `, exits ${exits}`}${backboneGradient === undefined ? "" : `, backbone gradient times ${backboneGradient}`}`,
    ),
    `file: ${result ? (localPlace(name) ?? "not on this machine") : "not trained yet"}`,
    `train it: dynn zoo train ${name} --data DIR`,
  ];
  return `${heading(name)}${facts.join("\n")}\n${result ? showResult(result) : ""}`;
}

/** What the gates do, and networks without decisions beside them. */
function showGates(gates: ZooResult["gates"]): string {
  if (gates === undefined) return "";
  const rate = ({ right, count }: { right: number; count: number }) => showRate(wilson(right, count));
  return [
    heading("Gates"),
    `routed: ${rate(gates.test)} at ${percent(gates.cost)} of the cost\n`,
    ...gates.baselines.map(
      ({ kind, test, cost, p, onlyNetwork, onlyBaseline }) =>
        `${BASELINES[kind]}: ${rate(test)} at ${percent(cost)}; right alone: ${onlyNetwork} with gates, ${onlyBaseline} without, McNemar p ${showP(p)}\n`,
    ),
    "\n",
    table(
      [{ head: "gate", align: "left" }, { head: "MACs" }, { head: "open" }],
      gates.gates.map(({ name, macs, openRate }) => [
        name,
        showCount(macs),
        openRate === null ? "-" : percent(openRate),
      ]),
    ),
  ].join("");
}

const showResult = ({
  file,
  exits,
  routed,
  gates,
  robust,
  training,
  version,
  inGit,
  parameters,
  remark,
}: ZooResult): string =>
  [
    `${showCount(parameters)} parameters, ${(file.bytes / 1e6).toFixed(1)} MB${inGit ? ", in git" : ""}\nsha256 ${file.sha256}\n`,
    `trained in ${duration(training.seconds)} of wall time on ${counted(training.cores, "core")} (${training.cpu}, ${training.memoryGiB} GiB), dynn ${version}\n`,
    remark ? `${remark}\n` : "",
    "\n",
    table(
      [{ head: "exit", align: "left" }, { head: "MACs" }, { head: "cost" }, { head: "validation" }, { head: "test" }],
      exits.map((e) => [
        e.name,
        showCount(e.macs),
        percent(e.costFraction),
        showRate(wilson(e.validation.right, e.validation.count)),
        showRate(wilson(e.test.right, e.test.count)),
      ]),
    ),
    routed.length === 0 ? "" : heading("Routed"),
    ...routed.map(
      ({ target, test, cost }) =>
        `${target}: ${showRate(wilson(test.right, test.count))} at ${percent(cost)} of the cost\n`,
    ),
    showGates(gates),
    heading("Robust accuracy"),
    ...robust.map(
      ({ attack, radius, test }) =>
        `${attack}, Linf ${Math.round(radius * 255)}/255: ${showRate(wilson(test.right, test.count))} of ${test.count}\n`,
    ),
  ].join("");
