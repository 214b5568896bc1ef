/** @file What each command leaves on a machine and whom it speaks to: its outputs and nobody, unless it was asked to. Runs what `npm run
 *  build` made. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { program } from "../../src/cli/run.js";
import { emptyGraph } from "../../src/graph/op.js";
import { writeModel } from "../../src/onnx/write.js";
import { type Footprint, traced, untraceable } from "../support/traced.js";
import { backbone } from "../support/training.js";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");
const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const data = npyPair(folder, "data", { count: 60, classes: 3 });
const [NET, STATIC, SPLIT, PHOTOS] = [at("net.onnx"), at("static.onnx"), at("split"), at("photos")];
const ON_DATA = ["--data", data, "--samples", "8"];

/** A small run of every command, and the names that it may leave in its current folder. */
const RUNS: Readonly<Record<string, { readonly argv: readonly string[]; readonly outputs: readonly string[] }>> = {
  audit: {
    argv: [NET, ...ON_DATA, "--threshold", "0.5", "--attacks", "fgsm", "--radii", "0"].concat(
      ["--json", "audit.json", "--report", "report.html"],
      ["--keep", "kept"],
    ),
    outputs: ["audit.json", "kept", "report.html"],
  },
  attack: {
    argv: [NET, join(PHOTOS, "0.png"), "--threshold", "never", "--steps", "3", "-o", "attacked.png"],
    outputs: ["attacked.png"],
  },
  completion: { argv: ["bash"], outputs: [] },
  attacks: { argv: ["--json", "attacks.json"], outputs: ["attacks.json"] },
  transfer: {
    argv: [NET, NET, "--data", data, "--threshold", "0.5", "--attacks", "fgsm"].concat(
      ["--json", "transfer.json"],
      ["--report", "transfer.html"],
    ),
    outputs: ["transfer.html", "transfer.json"],
  },
  inspect: { argv: [NET, "--json", "inspect.json"], outputs: ["inspect.json"] },
  study: { argv: ["plan", "--tier", "demo", "--samples", "20", "-o", "plan.json"], outputs: ["plan.json"] },
  zoo: { argv: ["list", "--json", "zoo.json"], outputs: ["zoo.json"] },
  gradient: { argv: [NET, "-o", "gradient.onnx"], outputs: ["gradient.onnx"] },
  train: {
    argv: [STATIC, "--data", data, "--recipe", "static", "--epochs", "1", "--batch", "30"].concat([
      "-o",
      "trained.onnx",
    ]),
    outputs: ["trained.onnx", "trained.run"],
  },
  convert: {
    argv: [STATIC, "--data", data, "--exits", "40", "--epochs", "1", "--no-policy", "-o", "dynamic.onnx"],
    outputs: ["dynamic.onnx", "dynamic.run"],
  },
  calibrate: {
    argv: [NET, ...ON_DATA, "--target", "latency:1000ms", "--report", "calibration.html", "-o", "calibrated.onnx"],
    outputs: ["calibrated.onnx", "calibration.html"],
  },
  profile: {
    argv: [NET, ...ON_DATA, "--rounds", "1", "--rules", "max-softmax", "--batch", "4", "--thresholds", "0.5"].concat(
      ["--json", "profile.json"],
      ["--report", "profile.html"],
    ),
    outputs: ["profile.html", "profile.json"],
  },
  export: {
    argv: [NET, "--data", data, "--threshold", "0.5", "--format", "conditional", "-o", "early.onnx"],
    outputs: ["early.onnx"],
  },
  classify: { argv: [NET, PHOTOS, "--threshold", "0.5", "--json", "answers.json"], outputs: ["answers.json"] },
};

/** Every file that the commands are given, with its bytes. */
const given = (): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true, encoding: "utf8" })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return `${path} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
    })
    .sort();

/** Nothing but its outputs was left, and nothing else was written even for a moment. */
function expectOnly(found: Footprint, outputs: readonly string[]): void {
  expect(found.code, found.out + found.err).toBe(0);
  expect(found.outputs).toEqual(outputs);
  expect({ strays: found.strays, touched: found.touched }).toEqual({ strays: [], touched: [] });
}

beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error("there is no dist/cli/main.js: run `npm run build` first");
  writeFileSync(NET, network({ classes: 3 }));
  writeFileSync(STATIC, writeModel({ graph: { ...emptyGraph("static", 17), ...backbone() } }));
  mkdirSync(PHOTOS);
  for (const [i, red] of [20, 240].entries())
    await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: red, g: 90, b: 160 } } }).toFile(
      join(PHOTOS, `${i}.png`),
    );
  const split = await cli("export", NET, "--data", data, "--threshold", "0.9", "--format", "split", "-o", SPLIT);
  expect(split.code, split.err).toBe(0);
});

it("the table has every command", async () => {
  const dynn = await program({ out: () => {}, err: () => {}, signal: new AbortController().signal });
  const commands = dynn.commands.map((command) => command.name());
  expect([...Object.keys(RUNS), "play", "serve", "worker"].sort()).toEqual(commands.sort());
});

describe.skipIf(untraceable !== undefined)(`a command${untraceable ? ` (skipped: ${untraceable})` : ""}`, () => {
  it.each(Object.entries(RUNS))("%s writes its outputs only and opens no connection", async (name, run) => {
    const before = given();
    const found = await traced([MAIN, name, ...run.argv]).ended;
    expectOnly(found, run.outputs);
    expect(found.addresses).toEqual([]);
    expect(given()).toEqual(before);
  });

  it("serve listens where it was told, classify speaks to that server; both write nothing else", async () => {
    const server = traced([MAIN, "serve", SPLIT, "--port", "0"]);
    const [, host] = await server.said(/listening on http:\/\/(\S+)/);
    const device = await traced([MAIN, "classify", SPLIT, data, "--server", `http://${host}`]).ended;
    process.kill(server.pid, "SIGTERM");
    expectOnly(device, []);
    expect(device.out).not.toContain("not reached");
    expect(device.addresses).toEqual([`connect ${host}`]);
    const served = await server.ended;
    expectOnly(served, []);
    expect(served.addresses).toEqual(["bind 127.0.0.1:0"]);
  });
});

describe.skipIf(untraceable !== undefined)("what the tests look with", () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

  it("sees files in every place, removed ones too, and every kind of address", async () => {
    const found = await traced([
      "--input-type=module",
      "-e",
      `import fs from "node:fs";
       import net from "node:net";
       import dgram from "node:dgram";
       fs.writeFileSync(process.env.XDG_CACHE_HOME + "/left", "");
       fs.mkdirSync(process.env.HOME + "/.gone");
       fs.rmdirSync(process.env.HOME + "/.gone");
       fs.writeFileSync(process.env.TMPDIR + "/gone", "");
       fs.unlinkSync(process.env.TMPDIR + "/gone");
       fs.writeFileSync("output", "");
       net.connect("/no/socket").on("error", () => {});
       net.connect(9, "127.0.0.1").on("error", () => {});
       net.connect(9, "::1").on("error", () => {});
       const socket = dgram.createSocket("udp4");
       socket.send("x", 9, "127.0.0.2", () => socket.close());`,
    ]).ended;
    expect(found.code, found.err).toBe(0);
    expect(found.outputs).toEqual(["output"]);
    expect(found.strays).toEqual(["cache/left"]);
    expect(found.touched).toEqual(["cache/left", "home/.gone", "tmp/gone"]);
    expect(found.addresses).toEqual([
      "bind 0.0.0.0:0",
      "connect /no/socket",
      "connect 127.0.0.1:9",
      ...(hasIpv6 ? ["connect ::1:9"] : []),
      "send 127.0.0.2:9",
    ]);
  });
});
