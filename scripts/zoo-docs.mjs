/** @file Makes docs/zoo.md and its picture from zoo/index.json. scripts/make-docs.mjs calls it. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom/worker";

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const hours = (seconds) => (seconds / 3600).toFixed(2);

/** The rows of one tier. */
function tierTable(entries, { wilson, table }) {
  const rate = ({ right, count }) => {
    const { value, low, high } = wilson(right, count);
    return `${percent(value)} (${(100 * low).toFixed(1)}-${(100 * high).toFixed(1)})`;
  };
  const routed = ({ routed }, target) => {
    const found = routed.find((one) => one.target === target);
    return found ? `${percent(found.test.right / found.test.count)} at ${percent(found.cost)}` : "-";
  };
  const robust = ({ robust }) =>
    robust
      .filter(({ attack }) => attack.includes(robust.some((one) => one.attack.includes("routed")) ? "routed" : "final"))
      .map(({ test }) => percent(test.right / test.count))
      .join(", ");
  return table(
    [
      "network",
      "early exits, test",
      "final exit, test",
      "rad 5 %",
      "budget 50 %",
      "robust at 1/255, 2/255",
      "MB",
      "hours",
    ],
    entries.map(([name, { result }]) => [
      `\`${name}\``,
      result.exits
        .slice(0, -1)
        .map(({ test }) => ((100 * test.right) / test.count).toFixed(1))
        .join(", ") || "none",
      rate(result.exits.at(-1).test),
      routed(result, "rad 5 %"),
      routed(result, "budget 50 %"),
      robust(result),
      (result.file.bytes / 1e6).toFixed(1),
      hours(result.training.seconds),
    ]),
  );
}

const BASELINES = {
  "fixed-blocks": "fixed blocks, closed one by one",
  "most-open-blocks": "fixed blocks, the most open",
  "random-gates": "random gates",
  static: "static network",
};

/** Networks with gates beside networks that decide nothing. */
function gateTable(entries, { wilson, table }) {
  const gated = entries.filter(([, { result }]) => result.gates);
  if (gated.length === 0) return "";
  const rate = ({ right, count }) => {
    const { value, low, high } = wilson(right, count);
    return `${percent(value)} (${(100 * low).toFixed(1)}-${(100 * high).toFixed(1)})`;
  };
  const gain = ({ onlyNetwork, onlyBaseline, test }) =>
    ((100 * (onlyNetwork - onlyBaseline)) / test.count).toFixed(2).replace("-", "−");
  const p = (value) => (value < 0.0001 ? "below 0.0001" : value.toFixed(4));
  const rows = gated.flatMap(
    ([
      name,
      {
        result: { gates },
      },
    ]) => [
      [`\`${name}\``, rate(gates.test), percent(gates.cost), "", ""],
      ...gates.baselines.map((one) => [
        `${BASELINES[one.kind]}${one.kind === "static" ? ` \`${one.about.split(",")[0]}\`` : ""}`,
        ...[rate(one.test), percent(one.cost), gain(one), p(one.p)],
      ]),
    ],
  );
  const heads = ["network", "test", "mean cost", "gain of the gates, points", "McNemar p"];
  return `\n**Beside networks without decisions**, on the same test records ([gates.md](gates.md#what-to-measure)):\n\n${table(heads, rows)}`;
}

/** Mean and range of the final accuracy over the seeds of one network. */
function seedTable(entries, table) {
  const groups = new Map();
  for (const [name, { result }] of entries) {
    const { right, count } = result.exits.at(-1).test;
    const key = name.replace(/-s\d+$/, "");
    groups.set(key, [...(groups.get(key) ?? []), right / count]);
  }
  const several = [...groups].filter(([, shares]) => shares.length > 1);
  if (several.length === 0) return "";
  const rows = several.map(([key, shares]) => {
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    const deviation = Math.sqrt(shares.reduce((sum, s) => sum + (s - mean) ** 2, 0) / (shares.length - 1));
    const points = (value) => (100 * value).toFixed(2);
    return [
      `\`${key}\``,
      shares.length,
      percent(mean),
      points(deviation),
      `${points(Math.min(...shares))} to ${points(Math.max(...shares))}`,
    ];
  });
  return `\n**Spread between seeds**, final exit on the test records:\n\n${table(["network", "seeds", "mean", "standard deviation, points", "range, %"], rows)}`;
}

/** Names that differ in the seed alone stand together. */
function missingOf(names) {
  const seeds = new Map();
  for (const name of names) {
    const [, key, seed] = /^(.*?)(?:-s(\d+))?$/.exec(name);
    seeds.set(key, [...(seeds.get(key) ?? []), ...(seed ? [seed] : [])]);
  }
  return [...seeds].map(([key, own]) => (own.length === 0 ? `\`${key}\`` : `\`${key}-s${own.join("`, `-s")}\``));
}

const ABOUT = {
  demo: "For examples and the demo of the README.",
  small: "Thin networks with three seeds each. The verdicts of the study come from them.",
  paper: "The full networks of the study, one seed.",
  gates: "Networks that skip blocks. A trained network learned to.",
};

/** docs/zoo.md as text. */
export function zooPage(index, { wilson, TIERS, table, made }) {
  const all = Object.entries(index.networks);
  const sections = TIERS.map((tier) => {
    const own = all.filter(([, network]) => network.tier === tier);
    const trained = own.filter(([, { result }]) => result);
    const missing = missingOf(own.filter(([, { result }]) => !result).map(([name]) => name));
    const remarks = [...new Set(trained.flatMap(([, { result }]) => result.remark ?? []))];
    return [
      `\n## Tier ${tier}\n\n${ABOUT[tier]} ${trained.length} of ${own.length} networks are trained.\n`,
      trained.length > 0 ? `\n${tierTable(trained, { wilson, table })}` : "",
      gateTable(trained, { wilson, table }),
      ...remarks.map((remark) => `\n${remark}\n`),
      seedTable(trained, table),
      missing.length > 0 ? `\n**Not trained yet:** ${missing.join(", ")}.\n` : "",
    ].join("");
  });
  const inGit = all.filter(([, { result }]) => result?.inGit);
  const packed = inGit.reduce((sum, [, { result }]) => sum + result.file.packedBytes, 0);
  return `${made}
# The zoo

The networks of the study. A name is ARCHITECTURE[-wWIDTH]-DATA-RECIPE[-sSEED], and \`zoo:NAME\` names a network in every
command. \`dynn zoo list\` shows what this machine has.

- **Train one again** with \`dynn zoo train NAME --data DIR\`. The same version of dynn gives the same bytes: the index says
  the number of threads. The command goes on where it was stopped. \`--plan\` tells the hours before.
- **Files.** The repository holds ${inGit.length} networks (${(packed / 1e6).toFixed(1)} MB packed). The npm package holds \`resnet20-cifar10-joint\`. Other
  places: an installed package \`dynn-zoo-NAME\`, the cache (\`DYNN_CACHE\`), folders and addresses in \`DYNN_ZOO\`. dynn fetches
  nothing that you did not ask for, and compares every file with its SHA-256 in [zoo/index.json](../zoo/index.json).
- **Form.** Weights have the precision of float16 and are stored as float32. An ic-only network refers to the file of the
  static network that it was built on, so both must lie in one folder.
- **Data.** ${Object.entries(index.data)
    .map(([name, { licence }]) => `${name}: ${licence}`)
    .join(" ")}

Networks are trained on 45,000 images. Thresholds were chosen on 5,000 others, and all accuracies are those on the 10,000 test
images, with 95 % intervals, measured on the files as published. Hours are wall time beside other work on the same
machine, pauses included. *rad 5 %*: the cheapest thresholds that keep 95 % of the final
accuracy; *budget 50 %*: the most accurate at half the cost; both with their mean cost. *Robust*: accuracy of the routed answer
(without exits: of the network) under PGD with 10 steps, on 200 test images, so an interval reaches up to 7 points to
either side.

![Accuracy on the validation records after each epoch, final exit](pictures/zoo-curves.svg)
${sections.join("")}`;
}

const COLOURS = {
  domain: ["static", "joint", "ic-only", "gates", "blockdrop", "act"],
  range: ["#0072b2", "#d55e00", "#009e73", "#b3538e", "#a87400", "#59636f"],
  legend: true,
};

const TITLE = "Accuracy of the final exit on the validation records after each epoch";

/** Curves of the final exit, a panel for each architecture and data set. */
export function zooCurves(index) {
  const points = Object.entries(index.networks).flatMap(([name, { architecture, width, data, recipe, result }]) =>
    (result?.curve ?? []).map((exits, epoch) => ({
      name,
      recipe,
      panel: `${architecture}${width === 1 ? "" : ` x ${width}`}, ${data}`,
      epoch: epoch + 1,
      accuracy: 100 * exits.at(-1),
    })),
  );
  const { document } = parseHTML("<!doctype html><html></html>");
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const plot = Plot.plot({
    document,
    width: Math.max(420, 60 + 240 * panels.length),
    height: 280,
    marginTop: 40,
    marginLeft: 50,
    fx: { domain: panels, label: null },
    x: { label: "epoch", ticks: 5 },
    y: { label: "accuracy, %", grid: true },
    color: { ...COLOURS, legend: false },
    marks: [
      Plot.lineY(points, { fx: "panel", x: "epoch", y: "accuracy", z: "name", stroke: "recipe", strokeWidth: 1.5 }),
      ...COLOURS.domain
        .filter((recipe) => points.some((point) => point.recipe === recipe))
        .map((recipe, i) =>
          Plot.text([recipe], {
            fx: () => panels[0],
            frameAnchor: "bottom-right",
            dx: -6,
            dy: -40 + 14 * i,
            text: (name) => name,
            fill: () => recipe,
          }),
        ),
    ],
  });
  plot.setAttribute("style", "background: white; color: #222; font-family: sans-serif; font-size: 12px");
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", TITLE);
  plot.querySelector("style")?.remove();
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = TITLE;
  plot.prepend(title);
  return `${plot.outerHTML}\n`;
}
