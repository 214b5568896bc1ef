/** @file What happens to a user who follows the advice of each error, and nothing else: a result within three steps, and never a circle. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type AtHand, followed } from "../support/advice.js";
import { FOREIGN_MODELS } from "../support/foreign/index.js";
import { isRefused } from "../support/foreign/model.js";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const CASES = new URL("../fixtures/cases/", import.meta.url).pathname;
const folder = temporaryFolder();
const MOST_STEPS = 3;

let files = 0;
function write(bytes: string | Uint8Array): string {
  const path = join(folder, `file-${files++}`);
  writeFileSync(path, bytes);
  return path;
}

/** Follows every advice of a command that is refused, and those of the refusals on the way.
 * @returns the refusals, one line each */
async function follow(argv: readonly string[], have: AtHand, seen: readonly string[] = []): Promise<void> {
  const { code, err } = await cli(...argv);
  if (code === 0) return;
  const path = [...seen, err.trim()];
  expect(seen, `a circle:\n${path.join("\n")}`).not.toContain(err.trim());
  expect(err, "a failure without a code").toMatch(/\[\w+\/\w+\]\s*$/);
  expect(path.length, `no end:\n${path.join("\n")}`).toBeLessThanOrEqual(MOST_STEPS);
  const next = followed(argv, err, have);
  expect(next.length, `no advice that a rule follows:\n${err}`).toBeGreaterThan(0);
  const possible = next.filter((one) => one !== undefined);
  expect(possible.length, `advice that needs what nobody has:\n${err}`).toBeGreaterThan(0);
  for (const one of possible) await follow(one, have, path);
}

const folderOf = (name: string): string => `folder:${CASES}01-class-order-folder/${name}`;
const shared = `npy:${CASES}shared/x.npy,${CASES}shared/y.npy`;
const none = ["--attacks", "none", "--radii", "0", "--threads", "1", "--samples", "8"];
const audit = (model: string, data: string, ...more: readonly string[]) => [
  "audit",
  model,
  "--data",
  data,
  ...none,
  ...more,
];
const STATIC = "zoo:resnet20-cifar10-static";
const file = (name: string): string => join(CASES, name);
const heads = file("12-parallel-heads/multitask_same_last.onnx");
const pixels255 = file("05-model-wants-0-255/float255.onnx");
const last = file("13-nhwc-input/nhwc.onnx");
const integers = file("11-quantised/qop.onnx");

const net = write(network());
const eight = npyPair(folder, "eight");
const sixteen = npyPair(folder, "sixteen", { size: 16 });
const many = npyPair(folder, "many", { count: 120, seed: 2 });
const have: AtHand = { write, resized: eight, validation: many, imageSize: "8,8", exported: net };

describe("a call that is refused leads to a result:", () => {
  test.each<[string, readonly string[], Partial<AtHand>?]>([
    ["classes of other names", audit(STATIC, folderOf("f_car"))],
    [
      "classes of other names, calibrate",
      [
        "calibrate",
        "zoo:resnet20-cifar10-joint",
        "--data",
        folderOf("f_car"),
        "--samples",
        "20",
        "--threshold",
        "0.5",
        "-o",
        join(folder, "c.onnx"),
      ],
    ],
    ["three classes for a model without names", audit(last, folderOf("f_subset"))],
    ["a second normalisation", audit(pixels255, shared, "--mean", "0.5,0.5,0.5", "--std", "0.2,0.2,0.2")],
    ["a second normalisation of one channel", audit(pixels255, shared, "--mean", "0.5", "--std", "0.2")],
    ["one mean for three channels", audit(net, eight, "--threshold", "0.5", "--mean", "0.5", "--std", "0.2")],
    ["a mean without a deviation", audit(net, eight, "--threshold", "0.5", "--mean", "0.5,0.5,0.5")],
    ["a deviation of zero", audit(net, eight, "--threshold", "0.5", "--mean", "0.5,0.5,0.5", "--std", "0,0,0")],
    ["images of another size", audit(net, sixteen, "--threshold", "0.5")],
    ["a folder of another size", audit(last, `${folderOf("f_named")}?size=3x32`)],
    ["a final exit that does not exist", audit(heads, shared, "--final", "nope")],
    ["too few records to choose thresholds on", audit(net, eight)],
    ["a threshold of 7", audit(net, many, "--threshold", "7")],
    ["three thresholds for two exits", audit(net, eight, "--threshold", "0.5,0.5,0.5")],
    ["an order of channels that does not exist", audit(net, eight, "--threshold", "0.5", "--channels", "grb")],
    [
      "a radius of 8",
      [
        "audit",
        net,
        "--data",
        eight,
        "--attacks",
        "fgsm",
        "--radii",
        "0",
        "--eps",
        "8",
        "--samples",
        "8",
        "--threshold",
        "0.5",
      ],
    ],
    ["a network that the zoo does not have", audit("zoo:nope", shared)],
    [
      "a gradient attack on 8-bit operators",
      ["audit", integers, "--data", shared, "--attacks", "pgd", "--radii", "0", "--samples", "8"],
      { exported: file("11-quantised/qdq.onnx") },
    ],
    [
      "the gradient of 8-bit operators",
      ["gradient", integers, "-o", join(folder, "g.onnx")],
      { exported: file("11-quantised/qdq.onnx") },
    ],
    ["a loss that does not exist", ["gradient", net, "-o", join(folder, "g.onnx"), "--loss", "sums"]],
    ["an option that does not exist", ["inspect", net, "--finale", "exit2"]],
  ])("%s", async (_, argv, more = {}) => follow(argv, { ...have, ...more }));
});

describe("a file that is refused leads to a result:", () => {
  test.each(FOREIGN_MODELS.filter(isRefused).map((m) => [`${m.maker}: ${m.form}`, m] as const))(
    "%s",
    async (_, { bytes, exported }) => {
      const path = write(bytes());
      const mended = exported === undefined ? undefined : write(exported());
      await follow(["inspect", path], { ...have, exported: mended });
      await follow(["gradient", path, "-o", join(folder, "g.onnx")], { ...have, exported: mended });
    },
  );
});

describe("photos of another size and with other classes lead to a result:", () => {
  test.each(FOREIGN_MODELS.filter((m) => !isRefused(m)).map((m) => [`${m.maker}: ${m.form}`, m] as const))(
    "%s",
    async (_, { bytes }) => follow(audit(write(bytes()), folderOf("f_named")), have),
  );
});
