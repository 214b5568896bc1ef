/** @file Makes docs/networks.md: every network whose input gradient the tests check, how far it was off when this ran, and its operators.
 *  Some minutes of work, so not part of make-docs.mjs.
 *  Usage: node scripts/make-networks.mjs */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import "../test/fuzz/typescript.mjs";
import { table } from "./markdown.mjs";

const root = resolve(import.meta.dirname, "..");

const opTypes = ({ nodes }) => [...new Set(nodes.map(({ opType }) => opType))].sort();
const code = (names) => names.map((name) => `\`${name}\``).join(" ");

/** Elements of the constants of float types. */
const parameters = ({ initializers }) =>
  [...initializers.values()]
    .filter(({ dtype }) => /^float/.test(dtype))
    .reduce((sum, { data }) => sum + data.length, 0);

/** An error as the document shows it: one digit is what a repeat on another machine keeps, roughly. */
export const shown = (error) => (error === undefined ? "-" : error.toExponential(0));

const errorTable = (networks, errorsOf) =>
  table(
    ["network", "opset", "nodes", "op types", "parameters", "float32 error", "slope error"],
    networks.map(({ name, graph }) => [
      name,
      graph.opset,
      graph.nodes.length,
      opTypes(graph).length,
      parameters(graph),
      ...errorsOf(name),
    ]),
  );

/** Operators of all networks with the number of networks that have each. */
function counts(networks) {
  const all = networks.flatMap(({ graph }) => opTypes(graph));
  return [...new Set(all)].sort().map((op) => `\`${op}\` ${all.filter((other) => other === op).length}`);
}

/** Operators with a gradient that no network has. */
function elsewhere(networks, ops) {
  const used = new Set(networks.flatMap(({ graph }) => opTypes(graph)));
  return Object.keys(ops).filter((op) => typeof ops[op].vjp === "function" && !used.has(op));
}

/** The document.
 * @param networks what checkedNetworks() gives
 * @param errorsOf the two error cells of a network, by its name
 * @param ops      the table of operators */
export function networksDocument({ exported, trained, families, foreign }, errorsOf, ops) {
  const all = [...exported, ...trained, ...families, ...foreign];
  return `<!-- Made by scripts/make-networks.mjs from test/support/networks.ts. Change that, not this file. -->

# Networks whose gradients are checked

The gradient of the cross-entropy, summed over a small batch, with respect to the images, network by network. Operators are checked one by
one besides (${Object.values(ops).filter(({ vjp }) => typeof vjp === "function").length} with a gradient, [ops.md](ops.md)).

*float32 error*: the largest error of an element of the gradient on ONNX Runtime, as a share of the largest element; the tests
fail above 1e-3. *Slope error*: the gradient on the reference kernels in float64 against central differences of the loss along two random
directions, relative to the slope or 1, whichever is larger; the tests fail above 1e-6. *Nodes* and *op types* are those of the model as it is
read, shape arithmetic included and \`Constant\` nodes not; *parameters* are the elements of its float constants.

The errors are those of the machine that made this file. Rounding differs between processors, so the tests hold every machine to the bounds
and this table to the networks: names, opsets, nodes, operators and parameters are compared with those of today.

## Exports of PyTorch

Exported by \`torch.onnx\` from torchvision's families with random weights, and a trained ResNet-20 with early exits (its final exit; the first
16 CIFAR-10 test images). The float32 error is against **PyTorch's own gradient in float64**. One image of MobileNetV2 is left out: the input
of one ReLU6 is -3.3e-7 there, and float32 may not decide on which side of the kink it lies; the reference kernels check it.

${errorTable(exported, errorsOf)}
## Networks of dynn

Bundled ones as they are, and architectures as \`dynn train\` builds them, narrow or for small images. The float32 error is against the
**reference kernels in float64**; slopes are taken of the small ones, for the kernels are slow.

${errorTable(trained, errorsOf)}
## Families

Small networks of random weights, 8 by 8 pixels, that repeat what exports of a family contain, shape arithmetic included, at opsets 11 to
21. The float32 error is against the **reference kernels in float64**.

${errorTable(families, errorsOf)}
A float32 error near 1e-3 in a network of your own is not always a fault. Where the input of one ReLU lies at its kink, float32 decides on one
side and float64 on the other. So one image can be off by much more than the others, and by another amount when ONNX Runtime fuses nodes:
one image of torchvision's MNASNet was 1.2e-3 off, and 4e-6 with the optimisations of ONNX Runtime switched off.

## Forms of other exporters

The readable files of [models.md](models.md) as dynn reads them, by the gradient of their final exit. Files that round, to 8 bits or to levels,
have no slope to compare with and are left out. The float32 error is against the **reference kernels in float64**.

${errorTable(foreign, errorsOf)}
## Operators

Which operators each has.

${table(
  ["network", "operators"],
  all.map(({ name, graph }) => [name, code(opTypes(graph))]),
)}
In how many networks each occurs: ${counts(all).join(", ")}.

With a gradient that single operators check, and no network above: ${code(elsewhere(all, ops))}.
`;
}

async function main() {
  const { checkedNetworks } = await import("../test/support/networks.ts");
  const { OPS } = await import("../src/ops/index.ts");
  const networks = checkedNetworks();
  const errors = new Map();
  for (const { name, check } of Object.values(networks).flat()) {
    const { float32, slope } = await check();
    errors.set(name, [shown(float32), shown(slope)]);
    console.error(name, ...errors.get(name));
  }
  writeFileSync(
    join(root, "docs/networks.md"),
    networksDocument(networks, (name) => errors.get(name), OPS),
  );
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename)) await main();
