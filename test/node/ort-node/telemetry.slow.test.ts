/** @file ONNX Runtime's telemetry: off before the native binding loads, in a program that uses dynn as in the command, in child processes
 *  and worker threads; what the user said stands. Runs what `npm run build` made. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { traced, untraceable } from "../../support/traced.js";

const ROOT = join(import.meta.dirname, "../../..");
const urlOf = (path: string): string => JSON.stringify(pathToFileURL(join(ROOT, path)).href);
const [DYNN, BACKEND] = [urlOf("dist/node/index.js"), urlOf("dist/node/ort-node/index.js")];
const folder = mkdtempSync(join(tmpdir(), "dynn-telemetry-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Print what the module says, run with nothing in its environment but this. */
function printed(module: string, env: NodeJS.ProcessEnv = {}): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", module], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...env },
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

/** Says the variable when the native binding is loaded, and again at the end. */
const WATCHED = (body: string): string => `
  const load = process.dlopen;
  process.dlopen = (module, file, ...rest) => {
    if (file.endsWith("onnxruntime_binding.node")) console.log("loads", process.env.ORT_DISABLE_TELEMETRY);
    return load(module, file, ...rest);
  };
  ${body}`;

describe("the variable", () => {
  it.each([
    ["the library", `await import(${DYNN});`],
    ["the backend alone", `await import(${BACKEND});`],
    ["the module of a command", `await import(${urlOf("dist/cli/train/command.js")});`],
    ["the command", `process.argv = ["node", "dynn", "audit", "--help"]; await import(${urlOf("dist/cli/main.js")});`],
  ])("is set when %s loads the native binding", (_, body) => {
    expect(printed(WATCHED(body)).split("\n")[0]).toBe("loads 1");
  });

  it.each(["1", "true", "0", "false", "OFF"])("stays %s where the user said so", (said) => {
    expect(printed(WATCHED(`await import(${BACKEND});`), { ORT_DISABLE_TELEMETRY: said })).toBe(`loads ${said}`);
  });

  // ONNX Runtime would take these for "leave it on".
  it.each(["", "2", "disable"])('is set where the user said "%s", which ONNX Runtime does not know', (said) => {
    expect(printed(WATCHED(`await import(${BACKEND});`), { ORT_DISABLE_TELEMETRY: said })).toBe("loads 1");
  });

  it("reaches child processes", () => {
    const child = `console.log(process.env.ORT_DISABLE_TELEMETRY)`;
    const body = `await import(${BACKEND});
      const { execFileSync } = await import("node:child_process");
      console.log(String(execFileSync(process.execPath, ["-e", ${JSON.stringify(child)}])).trim());`;
    expect(printed(body)).toBe("1");
  });
});

/** Opens a session and says which inputs it has. */
const SESSION = `
  const { GraphBuilder, ortNode } = await import(${DYNN});
  const b = new GraphBuilder({ name: "g", opset: 17, inputs: [], outputs: [], nodes: [], initializers: new Map(), types: new Map() });
  b.output(b.op("Relu", [b.input("x", "float32", [1])]), "float32", [1]);
  const said = await ortNode().compile(b.build()).then((session) => "opened " + session.inputs.map((i) => i.name ?? i), (e) => e.message);
  console.log(said);`;
const inWorker = (before: string, options = ""): string => `
  const { Worker } = await import("node:worker_threads");
  ${before}
  new Worker(${JSON.stringify(`(async () => {${SESSION}})()`)}, { eval: true${options} });`;

const REFUSED =
  "ORT_DISABLE_TELEMETRY: is not set, and a worker thread cannot set it: ONNX Runtime would report its use to its maker. Import dynn in the main thread before it starts the worker, or set ORT_DISABLE_TELEMETRY=1 for the process (0 lets it report). [runtime/telemetry]";

// The builds for Windows do not read the variable.
describe.skipIf(process.platform === "win32")("a worker thread", () => {
  it("opens no session where the process has not set the variable", () => {
    expect(printed(inWorker(""))).toBe(REFUSED);
  });

  it("opens none where its own environment does not tell what the process has", () => {
    expect(printed(inWorker("", ", env: {}"), { ORT_DISABLE_TELEMETRY: "1" })).toBe(REFUSED);
  });
});

describe.skipIf(untraceable !== undefined)(`a session${untraceable ? ` (skipped: ${untraceable})` : ""}`, () => {
  it.each<[string, string, NodeJS.ProcessEnv]>([
    ["of a program that uses the library", SESSION, {}],
    ["of a worker thread, dynn in the main thread before", inWorker(`await import(${DYNN});`), {}],
    ["of a worker thread, the variable set for the process", inWorker(""), { ORT_DISABLE_TELEMETRY: "1" }],
  ])("%s leaves nothing and speaks to nobody", async (_, module, env) => {
    const found = await traced(["--input-type=module", "-e", module], env).ended;
    expect([found.code, found.err, found.out.slice(0, 6)]).toEqual([0, "", "opened"]);
    const { outputs, strays, touched, addresses } = found;
    expect({ outputs, strays, touched, addresses }).toEqual({ outputs: [], strays: [], touched: [], addresses: [] });
  });
});
