/** @file Mutants of gates: refusals, bits, costs, thresholds in the graph, the wire, calibration by one offset. */
const FILE_TEST = "test/dynamic/model/gates.test.ts";
const FORMS_TEST = "test/conformance/gates.test.ts";
const SKIPS_TEST = "test/dynamic/run/skips.test.ts";
const CHOICE_TEST = "test/dynamic/choose/units.test.ts";
const STUDIES_TEST = "test/studies/gated.test.ts";

export const GATES = [
  {
    name: "gates/another-reader",
    find: "const other = readers.find((node) => node !== product);",
    replace: "const other = readers.find((node) => node === undefined);",
    test: FILE_TEST,
    killedBy: "a branch with another reader",
  },
  {
    name: "gates/own-score",
    find: "if (dependsOn(graph, gate.score, gate.branch))",
    replace: "if (dependsOn(graph, gate.branch, gate.score))",
    test: FILE_TEST,
    killedBy: "a score that depends on its own branch",
  },
  {
    name: "gates/any-value",
    find: "const open = score >= 0 ? 1 : 0;",
    replace: "const open = found[0];",
    test: FILE_TEST,
    killedBy: "a value that is open above 0 only",
  },
  {
    name: "gates/nested",
    find: "j !== k && [...within[k]].some((node) => nodes.has(node))",
    replace: "j !== k && [...within[k]].every((node) => !nodes.has(node)) && false",
    test: FILE_TEST,
    killedBy: "a gate inside the branch of another",
  },
  {
    name: "gates/saves-nothing",
    find: "nodes: graph.nodes.filter((node) => node !== producer) };",
    replace: "nodes: graph.nodes.filter((node) => node !== producer || node.outputs.length > 0) };",
    test: FORMS_TEST,
    killedBy: "the sum of the closed gates is the difference of full and base cost",
  },
  {
    name: "gates/cost-behind-the-exit",
    find: "exit <= stop && bits[k] !== 1 ? macs : 0",
    replace: "bits[k] !== 1 ? macs : 0",
    test: FORMS_TEST,
    killedBy: "the sum of the closed gates is the difference of full and base cost",
  },
  {
    name: "gates/bits-behind-the-exit",
    find: "exits.map((exit, k) => (exit <= routed.stop ? bits[k] : undefined))",
    replace: "exits.map((exit, k) => (exit >= 0 ? bits[k] : undefined))",
    test: FORMS_TEST,
    killedBy: "the cases bite",
  },
  {
    name: "gates/above-the-threshold",
    find: "(score >= Math.fround(threshold) ? 1 : 0)",
    replace: "(score > Math.fround(threshold) ? 1 : 0)",
    test: FORMS_TEST,
    killedBy: "float32 decides at the threshold",
  },
  {
    name: "gates/threshold-in-float64",
    find: "(score >= Math.fround(threshold) ? 1 : 0)",
    replace: "(score >= threshold ? 1 : 0)",
    test: FORMS_TEST,
    killedBy: "float32 decides at the threshold",
  },
  {
    name: "gates/forced-the-other-way",
    find: "[bit ? 1 : -1]",
    replace: "[bit ? -1 : 1]",
    test: FILE_TEST,
    killedBy: "a forced gate acts where its product is not summed",
  },
  {
    name: "gates/closed-branch-stays",
    find: "return shapeOf(other) === shapeOf(output) ? same(other) : node;",
    replace: "return node;",
    test: FORMS_TEST,
    killedBy: "forced gates leave the graph",
  },
  {
    name: "gates/other-thresholds",
    find: "if (got.length === wanted.length && got.every((threshold, k) => threshold === wanted[k])) return;",
    replace: "if (got.length === wanted.length) return;",
    test: FORMS_TEST,
    killedBy: "logits under other thresholds are refused",
  },
  {
    name: "gates/graph-forgets-earlier-bits",
    find: 'return { gates: before === undefined ? own : b.op("Add", [before, own]) };',
    replace: 'return { gates: before === undefined ? own : b.op("Identity", [own]) };',
    test: FORMS_TEST,
    killedBy: "over the conditional executor",
  },
  {
    name: "gates/wire-forgets-bits",
    find: "all[gate] = bits?.[index][k];",
    replace: "all[gate] = bits?.[index][0];",
    test: FORMS_TEST,
    killedBy: "over the wire",
  },
  {
    name: "gates/choice-counts-open",
    find: "this.#closed[own][k] += times * gate.closed[row];",
    replace: "this.#closed[own][k] += times * (1 - gate.closed[row]);",
    test: CHOICE_TEST,
    killedBy: "the point of the chosen policy is what routing under it gives",
  },
  {
    name: "gates/choice-without-exits",
    find: "if (gate.exit <= exit) this.#closed",
    replace: "if (gate.exit <= exit + 9) this.#closed",
    test: CHOICE_TEST,
    killedBy: "the point of the chosen policy is what routing under it gives",
  },
  {
    name: "gates/audit-without-policy",
    find: "const policy = run.policy(policyKey); const model = underPolicy(given, policy);",
    replace: "const policy = run.policy(policyKey); const model = given;",
    test: STUDIES_TEST,
    killedBy: "an audit counts paths, bits and costs",
  },
  {
    name: "gates/skips-when-open",
    find: "attributes: { then_branch: taken.done(output), else_branch: left.done(output) },",
    replace: "attributes: { then_branch: left.done(output), else_branch: taken.done(output) },",
    test: SKIPS_TEST,
    killedBy: "poison in a closed branch changes nothing",
  },
  {
    name: "gates/packed-shortcut",
    find: "const inputs = add.inputs.map((name) => (name === shortcut ? at(shortcut) : value));",
    replace: "const inputs = add.inputs.map(() => value);",
    test: SKIPS_TEST,
    killedBy: "gives the bits and, within rounding, the logits of the masked form",
  },
];
