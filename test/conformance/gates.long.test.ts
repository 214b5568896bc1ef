/** @file Gates in every form of routing. Each form gives the answers, bits and costs of a network whose gates were moved by hand: in the
 *  biases of its gates, before dynn read it. Costs follow from the sizes of the convolutions. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Images } from "../../src/core/images.js";
import { createDevice } from "../../src/deploy/device/device.js";
import type { DynamicModel } from "../../src/dynamic/model/model.js";
import { underPolicy } from "../../src/dynamic/model/under-policy.js";
import { costOf, costShareOf, type Path } from "../../src/dynamic/model/units.js";
import { type Routed, route } from "../../src/dynamic/route/route.js";
import { conditionalModel } from "../../src/dynamic/run/conditional/index.js";
import { createExecutor } from "../../src/dynamic/run/executor/index.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { macsOf, nodeMacs } from "../../src/graph/cost.js";
import { openBundle } from "../../src/node/deploy/bundle.js";
import { exportConditional, exportSplit, exportStaged } from "../../src/node/deploy/export.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { createServerPart } from "../../src/node/serve/server-part.js";
import { opTable } from "../../src/ops/table.js";
import type { Backend } from "../../src/runtime/backend.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { ALWAYS_CLOSED, ALWAYS_OPEN, NEVER_FIRES, type Policy } from "../../src/schema/policy.js";
import { BLOCK_MACS, GATE_BIASES, type GatedOptions, gatedImages, gatedModel } from "../support/gated.js";

const backend = ortNode({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), "dynn-gates-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COUNT = 48;
type Answers = readonly Pick<Routed, "stop" | "label" | "gates">[];

/** name, exits, thresholds of exits. */
const NETWORKS = [
  ["gates alone", [], []],
  ["gates and one exit", [1], [0.9]],
  ["gates and three exits", [0, 1, 2], [0.97, 0.95, 0.97]],
  ["gates and an exit that never fires", [0, 2], [NEVER_FIRES["max-softmax"], 0.97]],
] as const satisfies readonly (readonly [string, readonly number[], readonly number[]])[];

/** Thresholds of the gates. */
const THRESHOLDS = {
  "left out": undefined,
  moved: [1, -0.5, 2.5, -4],
  "forced in part": [ALWAYS_OPEN, 0.25, ALWAYS_CLOSED, 0],
  "all open": [ALWAYS_OPEN, ALWAYS_OPEN, ALWAYS_OPEN, ALWAYS_OPEN],
  "all closed": [ALWAYS_CLOSED, ALWAYS_CLOSED, ALWAYS_CLOSED, ALWAYS_CLOSED],
} as const;

const policyFor = (thresholds: readonly number[], gates: readonly number[] | undefined): Policy => ({
  rule: "max-softmax",
  thresholds,
  fallback: "final",
  ...(gates ? { gates: { thresholds: gates } } : {}),
});

async function overArrays(model: DynamicModel, policy: Policy, on: Backend = backend): Promise<Routed[]> {
  const forward = await Forward.compile(model, { backend: on });
  const logits = await forward.logits(Images.for(model, gatedImages(COUNT)), { batch: 7 });
  await forward.release();
  return route(logits, policy);
}

/** The answers of a network whose biases hold the thresholds, by the reference kernels. */
const expected = (options: GatedOptions, policy: Policy): Promise<Routed[]> =>
  overArrays(
    gatedModel({ ...options, biases: GATE_BIASES.map((bias, k) => bias - (policy.gates?.thresholds[k] ?? 0)) }),
    { ...policy, gates: undefined },
    referenceBackend,
  );

const run = async (model: DynamicModel, policy: Policy, engine: "staged" | "conditional", batch: number) => {
  const executor = await createExecutor(model, { backend, policy, batch, engine });
  const answers = await executor.classify(gatedImages(COUNT));
  await executor.release();
  return answers;
};

let bundles = 0;

const FORMS: Readonly<Record<string, (model: DynamicModel, policy: Policy) => Promise<Answers>>> = {
  arrays: (model, policy) => overArrays(underPolicy(model, policy), policy),
  "the staged executor": (model, policy) => run(model, policy, "staged", 8),
  "the conditional executor": (model, policy) => run(model, policy, "conditional", 8),
  "the conditional executor, one by one": (model, policy) => run(model, policy, "conditional", 1),
  "a bundle of stages": async (model, policy) => {
    const out = join(folder, `stages${bundles++}`);
    await exportStaged(model, out, { backend, policy, images: gatedImages(COUNT) });
    const device = await createDevice(await openBundle(out), { backend, batch: 5 });
    const answers = await device.classify(gatedImages(COUNT));
    await device.release();
    return answers;
  },
};

/** A split needs an early exit. */
async function overTheWire(model: DynamicModel, policy: Policy): Promise<Answers> {
  const out = join(folder, `split${bundles++}`);
  await exportSplit(model, out, { backend, policy, images: gatedImages(COUNT), at: 0 });
  const bundle = await openBundle(out);
  const server = await createServerPart(bundle, { backend, maxBatch: 16, windowMs: 0 });
  const device = await createDevice(bundle, { backend, remote: server.remote, batch: 16 });
  const answers = await device.classify(gatedImages(COUNT));
  await device.release();
  await server.close();
  return answers;
}

const bare = (answers: Answers) => answers.map(({ stop, label, gates }) => ({ stop, label, gates }));

describe.each(NETWORKS)("%s", (_name, exits, thresholds) => {
  const model = gatedModel({ exits });

  describe.each(Object.entries(THRESHOLDS))("thresholds of gates %s", (_kind, gates) => {
    const policy = policyFor(thresholds, gates);

    test.each(Object.entries(FORMS))("over %s", async (_form, form) => {
      expect(bare(await form(model, policy))).toEqual(bare(await expected({ exits }, policy)));
    });

    test.runIf(exits.length > 0)("over the wire", async () => {
      expect(bare(await overTheWire(model, policy))).toEqual(bare(await expected({ exits }, policy)));
    });

    test("the export of one file passes its own check", async () => {
      const { verification } = await exportConditional(model, join(folder, `one${bundles++}.onnx`), {
        backend,
        policy,
        images: gatedImages(COUNT),
      });
      expect(verification).toMatchObject({ samples: COUNT, changed: 0 });
    });

    test("costs are those of the convolutions that ran", async () => {
      for (const path of await expected({ exits }, policy))
        expect(costOf(model, path)).toBe(
          costOf(model, closedAt(path)) +
            BLOCK_MACS.reduce((sum, macs, k) => sum + (path.gates?.[k] === 1 ? macs : 0), 0),
        );
    });
  });
});

const closedAt = ({ stop, gates }: Path): Path => ({ stop, gates: gates?.map(() => 0) });

test("the cases bite: bits differ between images and between thresholds, and exits hide gates", async () => {
  const policy = policyFor([0.9], undefined);
  const routed = await expected({ exits: [1] }, policy);
  const moved = await expected({ exits: [1] }, policyFor([0.9], THRESHOLDS.moved));
  const bits = (answers: readonly Routed[]) => answers.map(({ gates }) => gates?.map((bit) => bit ?? "-").join(""));
  expect(new Set(bits(routed)).size).toBeGreaterThan(5);
  expect(bits(routed).filter((one) => one?.endsWith("--")).length).toBeGreaterThan(5);
  expect(bits(routed).filter((one, i) => one !== bits(moved)[i]).length).toBeGreaterThan(10);
});

describe("costs", () => {
  const model = gatedModel({ exits: [1] });

  test("the sum of the closed gates is the difference of full and base cost", () => {
    expect(model.gates.map(({ macs }) => macs)).toEqual(BLOCK_MACS);
    expect(model.exits.map(({ macs, baseMacs }) => macs - baseMacs)).toEqual([
      BLOCK_MACS[0] + BLOCK_MACS[1],
      BLOCK_MACS.reduce((a, b) => a + b),
    ]);
    expect(costOf(model, { stop: 1, gates: [1, 1, 1, 1] })).toBe(model.exits[1].macs);
    expect(costOf(model, { stop: 0, gates: [0, 0, undefined, undefined] })).toBe(model.exits[0].baseMacs);
    expect(costShareOf(model, { stop: 1, gates: [1, 1, 1, 1] })).toBe(1);
  });

  test("a network without gates costs what its exit costs", () => {
    const plain = gatedModel({ exits: [1], plain: [0, 1, 2, 3] });
    expect(plain.gates).toEqual([]);
    expect(plain.exits.map((_, stop) => costShareOf(plain, { stop }))).toEqual(plain.exits.map((e) => e.costFraction));
    expect(plain.exits.map(({ baseMacs }) => baseMacs)).toEqual(plain.exits.map(({ macs }) => macs));
  });

  test("forced gates leave the graph: their nets are not computed either", () => {
    const macs = (thresholds: readonly number[]) => {
      const { graph } = underPolicy(model, { gates: { thresholds } });
      return macsOf(
        graph,
        graph.outputs.map((o) => o.name),
        nodeMacs(graph, opTable),
      );
    };
    const nets = [6, 6, 6, 8].reduce((a, b) => a + b);
    expect(macs(THRESHOLDS["all open"])).toBe(model.exits[1].macs - nets);
    expect(macs(THRESHOLDS["all closed"])).toBe(model.exits[1].baseMacs - nets);
    const { graph } = underPolicy(model, { gates: { thresholds: THRESHOLDS["all closed"] } });
    expect(graph.nodes.filter(({ opType }) => opType === "Conv")).toHaveLength(1);
    expect(graph.nodes.filter(({ opType }) => opType === "Mul" || opType === "Add")).toEqual([]);
  });
});

describe("policies", () => {
  const model = gatedModel({ exits: [1] });

  test("logits under other thresholds are refused", async () => {
    await expect(overArrays(model, policyFor([0.5], THRESHOLDS.moved))).rejects.toThrow("policy/value");
    await expect(
      overArrays(underPolicy(model, policyFor([0.5], THRESHOLDS.moved)), policyFor([0.5], undefined)),
    ).rejects.toThrow("Run the model that underPolicy returns");
  });

  test("a list of another length is refused", () => {
    expect(() => underPolicy(model, { gates: { thresholds: [0, 0, 0] } })).toThrow(
      "thresholds of gates: got 3, expected 4",
    );
  });

  test("a model under its own policy stays the same object", () => {
    expect(underPolicy(model, {})).toBe(model);
    const moved = underPolicy(model, policyFor([], THRESHOLDS.moved));
    expect(underPolicy(moved, policyFor([], THRESHOLDS.moved))).toBe(moved);
  });

  test("float32 decides at the threshold, as the graph does", async () => {
    const forward = await Forward.compile(model, { backend: referenceBackend });
    const { gates } = await forward.logits(Images.for(model, gatedImages(COUNT)), { batch: COUNT });
    const [at] = gates[0].scores;
    const bitAt = async (threshold: number) =>
      (
        await overArrays(
          underPolicy(model, { gates: { thresholds: [threshold, 0, 0, 0] } }),
          policyFor([2], [threshold, 0, 0, 0]),
          referenceBackend,
        )
      )[0].gates?.[0];
    expect(await bitAt(at)).toBe(1);
    expect(await bitAt(at + 1e-12)).toBe(1);
    expect(await bitAt(at + Math.abs(at) * 1e-6)).toBe(0);
  });
});

test("a conditional graph says the bits itself", () => {
  const { graph } = conditionalModel(gatedModel({ exits: [1] }), policyFor([0.5], undefined));
  expect(graph.outputs.map(({ name }) => name)).toEqual(["logits", "exit", "label", "confidence", "gates"]);
});
