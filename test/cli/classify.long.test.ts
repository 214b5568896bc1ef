import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { program } from "../../src/cli/run.js";
import { openBundle } from "../../src/node/deploy/bundle.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { createServer, type Server } from "../../src/node/serve/server.js";
import { cli, filesIn, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
writeFileSync(at("net.onnx"), network());
const data = npyPair(folder, "images");
let server: Server;
let url = "";
/** A busy machine is no outage. */
const patient = ["--deadline", "60000"];

beforeAll(async () => {
  const write = ["export", at("net.onnx"), "--threshold", "0.6", "--data", data];
  await cli(...write, "--format", "split", "--at", "0", "-o", at("split"));
  await cli(...write, "--format", "staged", "-o", at("staged"));
  server = await createServer(await openBundle(at("split")), { backend: ortNode({ threads: 1 }) });
  url = await server.listen({ host: "127.0.0.1", port: 0 });
  mkdirSync(at("photos"));
  for (const [i, colour] of ["#c03020", "#20a040", "#2040c0"].entries())
    await sharp({ create: { width: 9 + i, height: 12, channels: 3, background: colour } })
      .png()
      .toFile(at(`photos/${i}.png`));
});
afterAll(() => server.close());

interface Written {
  readonly kind: string;
  readonly runs: readonly {
    readonly wire: string | null;
    readonly device: number;
    readonly server: number;
    readonly fallback: number;
    readonly bytes: number;
    readonly accuracy: { readonly value: number } | null;
    readonly link: readonly { readonly way: string; readonly bytesPerImage: number }[] | null;
    readonly answers: readonly Readonly<Record<string, unknown>>[];
  }[];
}

async function json(...argv: readonly string[]): Promise<Written> {
  const ran = await cli("classify", ...argv, "--json", "-");
  expect(ran).toMatchObject({ code: 0, err: "" });
  return JSON.parse(ran.out) as Written;
}
const labelsOf = ({ runs }: Written) => runs[0]?.answers.map(({ label, exit }) => [label, exit]);

describe("dynn classify", () => {
  it("gives the same answers by model, stages, split and server", async () => {
    const whole = await json(at("net.onnx"), data, "--threshold", "0.6");
    expect(whole).toMatchObject({ kind: "model", runs: [{ wire: null, device: 40, bytes: 0 }] });
    for (const argv of [
      [at("staged")],
      [at("split")],
      [at("split"), "--server", url, ...patient],
      [at("split"), "--batch", "16"],
    ]) {
      const [spec, ...flags] = argv as [string];
      const got = await json(spec, data, ...flags);
      expect(labelsOf(got)).toEqual(labelsOf(whole));
      expect(got.runs[0]?.accuracy).toEqual(whole.runs[0]?.accuracy);
    }
    const { runs } = await json(at("split"), data, "--server", url, ...patient);
    const [run] = runs;
    expect(run?.fallback).toBe(0);
    expect(run?.device).toBeGreaterThan(0);
    expect(run?.server).toBeGreaterThan(0);
    expect(run?.answers.filter(({ place }) => place === "server").every(({ bytes }) => (bytes as number) > 0)).toBe(
      true,
    );
  });

  it("reads image files and folders, brought to the size that the network takes", async () => {
    cpSync(at("photos/1.png"), at("alone.png"));
    const ran = await cli("classify", at("split"), at("photos"), at("alone.png"), "--server", url, ...patient);
    expect(ran).toMatchObject({ code: 0, err: "" });
    const rows = ran.out.split("\n").filter((line) => line.includes(".png"));
    expect(rows).toHaveLength(4);
    const answer = (row: string | undefined) => row?.trim().split(/\s+/).slice(1);
    expect(answer(rows[3])).toEqual(answer(rows[1]));
    expect(ran.out).toContain("net.onnx, 4 images: 4 files");
    expect(ran.out).not.toContain("right:");
  });

  it("needs the server's file only where it runs the server's half", async () => {
    cpSync(at("split"), at("device"), { recursive: true });
    rmSync(at("device/server.onnx"));
    const whole = await json(at("split"), data);
    expect(labelsOf(await json(at("device"), data, "--server", url, ...patient))).toEqual(labelsOf(whole));
    const ran = await cli("classify", at("device"), data);
    expect(ran.err).toContain('but this machine runs part "server".');
    expect(ran.code).toBe(1);
  });

  it("compares wire formats and ways over a link", async () => {
    const { runs } = await json(
      at("split"),
      data,
      "--wire",
      "all",
      "--link",
      "1Mbit/s,40ms",
      "--server",
      url,
      ...patient,
    );
    expect(runs.map(({ wire }) => wire)).toEqual(["float32", "float16", "int8"]);
    const [full, half, bytes] = runs.map((run) => run.bytes) as [number, number, number];
    expect(full).toBeGreaterThan(1.8 * half);
    expect(half).toBeGreaterThan(1.5 * bytes);
    expect(runs[0]?.link?.map(({ way, bytesPerImage }) => [way, bytesPerImage])).toEqual([
      ["device only", 0],
      ["split", full / 40],
      ["send the image", 192],
    ]);
    const ran = await cli("classify", at("split"), data, "--wire", "all", "--link", "1Mbit/s,40ms");
    expect(ran.out).toContain("device on this machine; without --server, the server's half runs on this machine too");
    expect(ran.out).toContain("and 20 more; --json FILE writes them all");
    expect(ran.out).toContain("same as float32");
    expect(ran.out).toContain("Estimated over 1Mbit/s,40ms");
    expect(ran.out.split("\n").filter((line) => line.startsWith("split, "))).toHaveLength(3);
    expect(ran.out).toMatch(/right: [\d.]+ % \(/);
  });

  it("says who answered when the server is not there", async () => {
    const gone = "http://127.0.0.1:9";
    const argv = [at("split"), data, "--server", gone, "--retries", "0", "--link", "1Gbit/s,1ms"];
    const { runs } = await json(...argv);
    expect(runs[0]).toMatchObject({ server: 0 });
    expect(runs[0]?.fallback).toBeGreaterThan(0);
    expect(runs[0]?.answers.find(({ place }) => place === "fallback")?.reason).toBeTruthy();
    const ran = await cli("classify", ...argv);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/server not reached, answered by the device's most confident exit: \d+ of 40/);
    expect(ran.out).toContain("fallback");
  });

  it("writes answers and summary to a file", async () => {
    const ran = await cli("classify", at("staged"), data, "--samples", "5", "--json", at("out.json"));
    expect(ran.out).toContain(`wrote ${at("out.json")}`);
    const { runs } = JSON.parse(readFileSync(at("out.json"), "utf8")) as Written;
    expect(runs[0]?.answers).toHaveLength(5);
    expect(Object.keys(runs[0]?.answers[0] ?? {})).toEqual([
      "image",
      "label",
      "class",
      "confidence",
      "exit",
      "place",
      "truth",
      "ms",
      "bytes",
    ]);
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    stop.abort(new Error("Ctrl-C"));
    const io = { signal: stop.signal, out: () => {}, err: () => {} };
    const argv = ["classify", at("split"), data, "--json", at("never.json")];
    await expect((await program(io)).parseAsync(argv, { from: "user" })).rejects.toThrow("Ctrl-C");
    expect(filesIn(folder)).not.toContain("never.json");
  });

  it.each([
    [["net.onnx", data], 2, "has no thresholds for rule max-softmax"],
    [
      ["net.onnx", data, "--threshold", "0.5", "--wire", "int8"],
      2,
      "--wire: needs a split bundle, but net.onnx is a model.",
    ],
    [
      ["staged", data, "--server", "http://localhost"],
      2,
      "--server: needs a split bundle, but net.onnx is a staged bundle.",
    ],
    [
      ["split", data, "--threshold", "0.5"],
      2,
      "is a bundle, which has its own policy and input, but --threshold is for models.",
    ],
    [["split", data, "alone.png"], 2, "is a data spec, but the call names 1 more."],
    [["split", "nowhere.png"], 2, "nowhere.png: does not exist."],
    [["split", "sample"], 1, "images are [3,32,32] but net.onnx takes [3,8,8]."],
    [["split", data, "--server", "ftp://x"], 2, 'server: got "ftp://x"'],
    [["split", data, "--link", "fast"], 2, '--link: got "fast", expected RATE,RTT. Write e.g. --link 10Mbit/s,40ms.'],
    [["split", data, "--wire", "bits"], 2, "one of float32, float16, int8, all"],
    [["split", data, "--json", join("nowhere", "out.json")], 2, "cannot be written"],
    [["split", data, "--token", "x y", "--server", "http://localhost"], 2, "token: is empty, or holds characters"],
  ])("refuses %j and writes nothing", async ([spec, ...argv], code, text) => {
    const before = filesIn(folder);
    const ran = await cli("classify", at(spec), ...argv);
    expect(ran.err).toContain(text);
    expect(ran.code).toBe(code);
    expect(filesIn(folder)).toEqual(before);
  });
});
