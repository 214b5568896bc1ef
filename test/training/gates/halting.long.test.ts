/** Halting against its definition, one sample and one block at a time in plain TypeScript. Source: Figurnov et al. 2017, section 3.1. */
import { describe, expect, test } from "vitest";
import { type Tensor, toNumbers } from "../../../src/core/tensor.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import type { Graph } from "../../../src/graph/graph.js";
import { inferShapes } from "../../../src/graph/infer.js";
import { opTable } from "../../../src/ops/table.js";
import { runReference } from "../../../src/runtime/reference.js";
import { attachHalting, EPSILON } from "../../../src/training/gates/halting.js";
import { gateLoss } from "../../../src/training/step/gates.js";
import { images, narrow, spread } from "../../support/spread-gates.js";

const ROWS = 6;

/** Three stages of five blocks. Heads give shares around 0.4, so that samples stop at different blocks. */
const made = attachHalting(narrow(32), { seed: 2 });
const graph = spread(made.graph, { bias: -0.9, weight: 12 });

const read = (source: Graph, names: readonly string[]): Readonly<Record<string, Tensor>> =>
  runReference(source, { images: images(ROWS) }, opTable, names);

/** Every value of the network, from one run. */
const known = read(
  graph,
  graph.nodes.flatMap((node) => node.outputs),
);

interface Halted {
  /** Blocks that run, the first one too. */
  readonly blocks: number;
  readonly remainder: number;
  /** The share of each block. */
  readonly shares: readonly number[];
}

/** Equations 5 to 8 for one sample.
 * @param h the halting shares of all blocks but the last */
function halted(h: readonly number[]): Halted {
  const shares = [...h.map(() => 0), 0];
  let sum = 0;
  for (let k = 0; ; k++) {
    const own = h[k];
    if (own === undefined || sum + own > 1 - EPSILON) {
      shares[k] = 1 - sum;
      return { blocks: k + 1, remainder: 1 - sum, shares };
    }
    shares[k] = own;
    sum += own;
  }
}

const STAGES = [1, 2, 3];
const blocks = (stage: number): string[] => [0, 1, 2, 3, 4].map((i) => `stage${stage}.block${i}`);

/** What each sample does in a stage, from the halting shares of the graph. */
function haltedIn(stage: number): readonly Halted[] {
  const names = blocks(stage)
    .slice(1)
    .map((name) => `${name}.gate.share`);
  const values = known;
  return Array.from({ length: ROWS }, (_, row) => halted(names.map((name) => toNumbers(values[name])[row])));
}

describe("a network that halts", () => {
  test("has gates on all blocks of a stage but the first", () => {
    expect(made.gates.map(({ name }) => name)).toEqual(STAGES.flatMap((stage) => blocks(stage).slice(1)));
    expect(made.gates.map(({ stage }) => stage)).toEqual(STAGES.flatMap((_, i) => [i, i, i, i]));
  });

  test("stops at different blocks for different samples here, and nowhere near the threshold", () => {
    const counts = STAGES.flatMap((stage) => haltedIn(stage).map((h) => h.blocks));
    expect(new Set(counts).size).toBeGreaterThanOrEqual(3);
    expect(Math.min(...counts)).toBeLessThan(5);
    for (const { score } of made.gates)
      for (const z of toNumbers(known[score])) expect(Math.abs(z)).toBeGreaterThan(1e-4);
  });

  test.each(STAGES)("opens the gates of the blocks that run, stage %i", (stage) => {
    const names = blocks(stage)
      .slice(1)
      .map((name) => `${name}.gate`);
    const values = known;
    haltedIn(stage).forEach((h, row) => {
      names.forEach((name, i) => {
        expect(toNumbers(values[name])[row], `${name} of row ${row}`).toBe(i + 1 < h.blocks ? 1 : 0);
      });
    });
  });

  test.each(STAGES)("gives the sum of the blocks' outputs with their shares, stage %i", (stage) => {
    const units = blocks(stage).map((name, i) => (i === 4 ? `${name}.out.unit` : `${name}.out`));
    const output = `stage${stage}.block4.out`;
    const values = known;
    const got = toNumbers(values[output]);
    const size = got.length / ROWS;
    haltedIn(stage).forEach(({ shares, blocks: count }, row) => {
      expect(shares.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
      for (let i = row * size; i < (row + 1) * size; i++) {
        const want = units.reduce((sum, name, k) => sum + shares[k] * toNumbers(values[name])[i], 0);
        expect(got[i]).toBeCloseTo(want, 5);
        // A block behind the last one returns its input.
        if (count < 5) expect(toNumbers(values[units[count]])[i]).toBe(toNumbers(values[units[count - 1]])[i]);
      }
    });
  });

  test("pays for blocks and remainders of all stages", () => {
    const b = new GraphBuilder(graph);
    const { total, rates } = gateLoss(b, made.gates, { kind: "ponder", weight: 0.25 });
    const results = read(inferShapes(b.build(), opTable), [total, rates]);
    const all = STAGES.map((stage) => haltedIn(stage));
    const ponder = all.flat().reduce((sum, h) => sum + h.blocks + h.remainder, 0) / ROWS;
    expect(toNumbers(results[total])[0]).toBeCloseTo(0.25 * ponder, 5);
    const open = all.flatMap((rows) => [1, 2, 3, 4].map((i) => rows.filter((h) => h.blocks > i).length / ROWS));
    [...toNumbers(results[rates])].forEach((rate, k) => expect(rate).toBeCloseTo(open[k], 6));
  });
});

test("a network that starts with its first weights runs all blocks", () => {
  const fresh = attachHalting(narrow(20), { seed: 2 });
  for (const t of Object.values(
    read(
      fresh.graph,
      fresh.gates.map((gate) => gate.value),
    ),
  ))
    expect([...toNumbers(t)]).toEqual(new Array(ROWS).fill(1));
});
