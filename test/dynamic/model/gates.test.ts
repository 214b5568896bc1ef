/** @file Gates that the metadata of a file state: what is read, and what is refused with advice. */
import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import type { StatedGates } from "../../../src/dynamic/model/gates.js";
import { readMetadata, writeMetadata } from "../../../src/dynamic/model/metadata.js";
import type { DynamicModel } from "../../../src/dynamic/model/model.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { underPolicy } from "../../../src/dynamic/model/under-policy.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import type { Graph, Node } from "../../../src/graph/graph.js";
import { readModel } from "../../../src/onnx/read.js";
import { writeModel } from "../../../src/onnx/write.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import { ALWAYS_CLOSED, ALWAYS_OPEN } from "../../../src/schema/policy.js";
import { failure } from "../../support/failure.js";
import { gatedImages, gatedModel, gatedSource } from "../../support/gated.js";

const FORM =
  "The masked form is Mul(branch, value) with value = Reshape(Cast(GreaterOrEqual(score, 0)), [-1,1,1,1]) and a score [n].";
const source = gatedSource({ exits: [1] });
const stated = readMetadata(source.metadata, "gated").gates as StatedGates;

const node = (
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Node["attributes"] = {},
): Node => ({
  ...{ opType, domain: "", name: output, inputs, outputs: [output], attributes },
});

/** The network with other metadata of its gates, or another graph. */
const read = (gates: StatedGates, change: (graph: Graph) => Graph = (graph) => graph) =>
  dynamicModel({
    graph: change(source.graph),
    metadata: new Map([...source.metadata, ...writeMetadata({ gates })]),
  });
const first = (change: Partial<StatedGates[number]>): StatedGates => [{ ...stated[0], ...change }, ...stated.slice(1)];
/** More nodes behind the first that make a value. */
const behind =
  (value: string, ...nodes: readonly Node[]) =>
  (graph: Graph): Graph => {
    const at = graph.nodes.findIndex(({ outputs }) => outputs.includes(value)) + 1;
    return { ...graph, nodes: [...graph.nodes.slice(0, at), ...nodes, ...graph.nodes.slice(at)] };
  };
/** The node that makes a value, with other inputs. */
const rewired =
  (value: string, change: (inputs: readonly string[]) => readonly string[]) =>
  (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map((n) => (n.outputs.includes(value) ? { ...n, inputs: change(n.inputs) } : n)),
  });

describe("a file with gates", () => {
  test("keeps them when it is written and read", () => {
    const again = dynamicModel(readModel(writeModel(source)));
    const { gates } = gatedModel({ exits: [1] });
    expect(again.gates).toEqual(gates);
    expect(gates.map(({ name, score, value, branch }) => ({ name, score, value, branch }))).toEqual(stated);
    expect(source.metadata.get("dynn.gates")).toBe(JSON.stringify(stated));
  });

  test("has the same gates with the exits by convention, and fewer behind an exit that the caller makes the final one", () => {
    const metadata = new Map([...source.metadata].filter(([key]) => key === "dynn.gates"));
    expect(dynamicModel({ ...source, metadata }).gates.map(({ exit }) => exit)).toEqual([0, 0, 1, 1]);
    expect(dynamicModel(source, { final: "exit1" }).gates.map(({ name }) => name)).toEqual(["block0", "block1"]);
  });

  test("gives the branch's cost although its last layer is folded into a convolution", () => {
    const { graph } = gatedModel();
    expect(graph.nodes.find(({ outputs }) => outputs.includes("block0.branch"))?.opType).toBe("Conv");
  });

  test("a policy with another number of thresholds does not fit", () => {
    const policy = { rule: "max-softmax", thresholds: [0.5], fallback: "final", gates: { thresholds: [0] } } as const;
    expect(() => gatedModel({ exits: [1], policy })).toThrow(
      failure(
        "model/metadata",
        'gated: metadata "dynn.policy" does not fit the graph: got 1 thresholds of gates, the graph has 4. Write the model again with dynn, or remove the key to read it by convention.',
      ),
    );
  });
});

test("a forced gate acts where its product is not summed with a shortcut", async () => {
  const maximum = (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map((n) => (n.outputs.some((name) => isSum(graph, name)) ? { ...n, opType: "Max" } : n)),
  });
  const logitsOf = async (model: DynamicModel): Promise<readonly number[]> => {
    const forward = await Forward.compile(model, { backend: referenceBackend });
    const { exits } = await forward.logits(Images.for(model, gatedImages(6)), { batch: 6 });
    return [...(exits.at(-1) as Float32Array)];
  };
  const model = read(stated, maximum);
  const answers: (readonly number[])[] = [];
  for (const [at, bias] of [
    [ALWAYS_OPEN, 1e6],
    [ALWAYS_CLOSED, -1e6],
  ]) {
    const forced = gatedSource({ exits: [1], biases: [bias, bias, bias, bias] });
    const wanted = await logitsOf(dynamicModel({ ...forced, graph: maximum(forced.graph) }));
    const found = await logitsOf(underPolicy(model, { gates: { thresholds: [at, at, at, at] } }));
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i], 4);
    });
    answers.push(found);
  }
  expect(answers[0]).not.toEqual(answers[1]);
});

/** Whether a value is the sum of a shortcut and a gated branch. */
const isSum = (graph: Graph, name: string): boolean => {
  const add = graph.nodes.find(({ opType, outputs }) => opType === "Add" && outputs.includes(name));
  const products = graph.nodes.filter(({ opType }) => opType === "Mul").flatMap(({ outputs }) => outputs);
  return add?.inputs.some((input) => products.includes(input)) ?? false;
};

describe("refused", () => {
  const refusal = (what: string, advice: string) => failure("model/gates", `gated: gate "block0": ${what}. ${advice}`);
  const NAMES = "Name values of the graph in dynn.gates, or write the model again with dynn.";

  test.each(["score", "value", "branch"] as const)("an unknown %s", (role) => {
    expect(() => read(first({ [role]: "nowhere" }))).toThrow(
      refusal(`no node of the graph makes its ${role} "nowhere"`, NAMES),
    );
  });

  test("a gate inside a loop", () => {
    const body: Graph = { ...source.graph, inputs: [], outputs: [], nodes: [node("Relu", ["image"], "inner")] };
    const loop = node("Loop", ["image"], "looped", { body: { kind: "graph", value: body } });
    expect(() => read(first({ value: "inner" }), behind("block0.value", loop))).toThrow(
      refusal(
        'its value "inner" lies inside Loop "looped"',
        "Unroll the loop, or export the model in the masked form, in which every branch runs.",
      ),
    );
  });

  test("a branch with another reader", () => {
    const spy = behind("block0.branch", node("Relu", ["block0.branch"], "spy"));
    const use = rewired("block1.conv1", ([, weight]) => ["spied", weight]);
    const spied = behind("block0.out", node("Add", ["block0.out", "spy"], "spied"));
    expect(() => read(stated, (graph) => use(spied(spy(graph))))).toThrow(
      refusal(
        'its branch "block0.branch" has another reader, Relu "spy"',
        "Let only the gate's Mul read the branch, or gate the value that the other reader takes too.",
      ),
    );
  });

  test("a score that depends on its own branch", () => {
    const early = source.graph.nodes.find(({ outputs }) => outputs.includes("block0.score")) as Node;
    const pool = source.graph.nodes.find(({ opType }) => opType === "GlobalAveragePool") as Node;
    const of = rewired(pool.outputs[0], () => ["block0.branch"]);
    expect(early.opType).toBe("Reshape");
    expect(() => read(stated, (graph) => sorted(of(graph)))).toThrow(
      refusal('its score "block0.score" depends on its own branch', "Compute the score from values before the block."),
    );
  });

  test("a branch that no Mul takes with the value", () => {
    expect(() => read(first({ branch: "block0.conv1" }))).toThrow(
      refusal('no Mul takes its branch "block0.conv1" and its value', FORM),
    );
  });

  test("a value of another shape", () => {
    const flat = behind("block0.value", node("Flatten", ["block0.value"], "flat"));
    expect(() => read(first({ value: "flat" }), flat)).toThrow(
      refusal('its value "flat" is float32[n,1], expected float32[n,1,1,1]', FORM),
    );
  });

  test("a score of another shape", () => {
    expect(() => read(first({ score: "block0.value" }))).toThrow(
      refusal('its score "block0.value" is float32[n,1,1,1], expected float32[n]', FORM),
    );
  });

  test("a value that another score decides", () => {
    const swapped = [stated[0], { ...stated[1], score: "block0.score" }, ...stated.slice(2)];
    expect(() => read(swapped)).toThrow(
      failure(
        "model/gates",
        `gated: gate "block1": its value "block1.value" depends on more than its score "block0.score". ${FORM}`,
      ),
    );
  });

  test("a value that is open above 0 only, or turned round", () => {
    const compare =
      (opType: string) =>
      (graph: Graph): Graph => ({
        ...graph,
        nodes: graph.nodes.map((n) => (n.opType === "GreaterOrEqual" ? { ...n, opType } : n)),
      });
    expect(() => read(stated, compare("Greater"))).toThrow(refusal("its value is 0 at the score 0, expected 1", FORM));
    expect(() => read(stated, compare("LessOrEqual"))).toThrow(
      refusal("its value is 1 at the score -1000000000, expected 0", FORM),
    );
  });

  test("a gate inside the branch of another", () => {
    const inner = { name: "inner", score: "block0.score", value: "inner.value", branch: "inner.branch" };
    const nested = (graph: Graph): Graph => {
      const relu = graph.nodes.find(({ inputs }) => inputs.includes("block0.conv1")) as Node;
      const conv = graph.nodes.find(({ outputs }) => outputs.includes("block0.conv2")) as Node;
      const value = graph.nodes.find(({ outputs }) => outputs.includes("block0.value")) as Node;
      return sorted({
        ...graph,
        nodes: [
          ...graph.nodes.map((n) =>
            n === relu
              ? { ...n, outputs: ["inner.branch"] }
              : n === conv
                ? { ...n, inputs: ["masked", n.inputs[1]] }
                : n,
          ),
          { ...value, name: "", outputs: ["inner.value"] },
          node("Mul", ["inner.branch", "inner.value"], "masked"),
        ],
      });
    };
    expect(() => read([...stated, inner], nested)).toThrow(
      refusal('its branch and that of "inner" share nodes', "Give each gate a branch of its own."),
    );
  });

  test("two gates of one name, and entries that are not gates", () => {
    expect(() => read([stated[0], stated[0]])).toThrow("two gates have the same name");
    const metadata = new Map([...source.metadata, ["dynn.gates", '[{"name":"a"}]']]);
    expect(() => dynamicModel({ ...source, metadata })).toThrow('metadata "dynn.gates" is wrong');
  });
});

/** The graph with its nodes in an order in which each value is made before it is read. */
function sorted(graph: Graph): Graph {
  const made = new Set([...graph.inputs.map((i) => i.name), ...graph.initializers.keys(), ""]);
  const [left, nodes] = [[...graph.nodes], [] as Node[]];
  for (let at = 0; at >= 0; at = left.findIndex(({ inputs }) => inputs.every((name) => made.has(name)))) {
    if (!left[at]?.inputs.every((name) => made.has(name))) continue;
    const [next] = left.splice(at, 1);
    for (const name of next.outputs) made.add(name);
    nodes.push(next);
    if (left.length === 0) break;
  }
  return { ...graph, nodes: [...nodes, ...left] };
}
