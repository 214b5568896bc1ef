/** @file What the tests of the command share: small networks made on the spot, small data, a folder that goes away,
 *  and the command run in this process with what it prints caught. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { run } from "../../src/cli/run.js";
import { normal, uniform } from "../../src/core/rng.js";
import type { Shape } from "../../src/core/shape.js";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { writeNpy } from "../../src/data/npy.js";
import { writeMetadata } from "../../src/dynamic/model/metadata.js";
import { ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { ValueName } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { writeModel } from "../../src/onnx/write.js";
import type { Policy } from "../../src/schema/policy.js";

/** A folder for one test file; removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dynn-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Run a command line in this process. */
export async function cli(...argv: readonly string[]): Promise<Ran> {
  let [out, err] = ["", ""];
  const code = await run(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

const random = (seed: number, dims: readonly number[], scale: number): Tensor =>
  fromNumbers(
    "float32",
    dims,
    normal(
      { seed, sample: 0, purpose: "init", step: 0 },
      dims.reduce((a, b) => a * b, 1),
    ).map((v) => v * scale),
  );

export interface NetworkOptions {
  readonly exits?: number;
  readonly size?: number;
  readonly classes?: number;
  readonly policy?: Policy;
  /** Shape of the input; else [n,3,size,size]. */
  readonly input?: Shape;
  /** Channels of the input (default: 3). */
  readonly channels?: number;
  /** What follows the last convolution, in place of Relu. */
  readonly activation?: string;
}

/** A network of 3x3 convolutions with random weights and an exit after each of them, as an ONNX file. */
export function network(options: NetworkOptions = {}): Uint8Array {
  const { exits = 3, size = 8, classes = 4, policy, activation = "Relu" } = options;
  const b = new GraphBuilder(emptyGraph("net", 17));
  let at: ValueName = b.input("image", "float32", options.input ?? ["n", 3, size, size]);
  for (let k = 0; k < exits; k++) {
    const channels = k === 0 ? (options.channels ?? 3) : 6;
    const kernel = b.constant(random(2 * k + 1, [6, channels, 3, 3], 1 / Math.sqrt(9 * channels)), `kernel${k}`);
    at = b.op("Conv", [at, kernel], { pads: ints([1, 1, 1, 1]) });
    at = b.op(k === exits - 1 ? activation : "Relu", [at]);
    const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [at])]);
    b.output(
      b.op("Gemm", [pooled, b.constant(random(2 * k + 2, [6, classes], 6), `head${k}`)], {}, `exit${k}`),
      "float32",
      ["n", classes],
    );
  }
  return writeModel({ graph: b.build(), ...(policy ? { metadata: writeMetadata({ policy }) } : {}) });
}

export interface PairOptions {
  readonly count?: number;
  readonly size?: number;
  readonly classes?: number;
  readonly seed?: number;
}

/** Write random images, each of its own colour with noise on it, and labels as a pair of .npy files; returns the data spec. */
export function npyPair(
  folder: string,
  name: string,
  { count = 40, size = 8, classes = 4, seed = 1 }: PairOptions = {},
): string {
  const colours = uniform({ seed, sample: 1, purpose: "test", step: 0 }, count * 3, 0.1, 0.9);
  const noise = uniform({ seed, sample: 0, purpose: "test", step: 0 }, count * 3 * size * size, -0.1, 0.1);
  const pixels = noise.map((v, i) => v + colours[Math.floor(i / (size * size))]);
  const [x, y] = [join(folder, `${name}-x.npy`), join(folder, `${name}-y.npy`)];
  writeFileSync(x, writeNpy(fromNumbers("float32", [count, 3, size, size], pixels)));
  writeFileSync(
    y,
    writeNpy(
      fromNumbers(
        "int64",
        [count],
        Array.from({ length: count }, (_, i) => i % classes),
      ),
    ),
  );
  return `npy:${x},${y}`;
}

/** Files in a folder, hidden ones too. */
export const filesIn = (folder: string): string[] => readdirSync(folder).sort();
