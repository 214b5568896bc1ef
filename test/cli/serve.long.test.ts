import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { program } from "../../src/cli/run.js";
import { cli, network, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
writeFileSync(at("net.onnx"), network());
const split = ["export", at("net.onnx"), "--threshold", "0.5"];
beforeAll(async () => {
  await cli(...split, "--format", "split", "--at", "0", "-o", at("split"));
  await cli(...split, "--format", "staged", "-o", at("staged"));
});

/** Run `dynn serve` until the test says stop. */
function serving(...argv: readonly string[]) {
  const stop = new AbortController();
  const printed = { out: "", err: "" };
  let heard = (_: string) => {};
  const listening = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const io = {
    signal: stop.signal,
    err: (text: string) => {
      printed.err += text;
    },
    out: (text: string) => {
      printed.out += text;
      const [, url] = /listening on (\S+?)(?:,|\n)/.exec(text) ?? [];
      if (url) heard(url);
    },
  };
  const ended = program(io).then((dynn) => dynn.parseAsync(["serve", ...argv], { from: "user" }));
  return { listening, ended, stop: () => stop.abort(new Error("Ctrl-C")), printed };
}

describe("dynn serve", () => {
  it("says where it listens, answers, and ends well when it is told to stop", async () => {
    const { listening, ended, stop, printed } = serving(at("split"), "--port", "0");
    const url = await listening;
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: "ok", model: "net.onnx" });
    stop();
    await ended;
    expect(printed.out).toBe(`net.onnx: exit1, exit2\nlistening on ${url}\n`);
    expect(printed.err).toBe("stopping: finishing the requests in flight, accepting no more\n");
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it("needs no file of the device", async () => {
    cpSync(at("split"), at("server"), { recursive: true });
    rmSync(at("server/device.onnx"));
    const { listening, ended, stop } = serving(at("server"), "--port", "0");
    expect((await fetch(`${await listening}/health`)).status).toBe(200);
    stop();
    await ended;
    rmSync(at("server/server.onnx"));
    const ran = await cli("serve", at("server"));
    expect(ran.err).toContain('but this machine runs part "server".');
    expect(ran.code).toBe(1);
  });

  it("takes its token from the environment", async () => {
    process.env.DYNN_TOKEN = "from-the-environment";
    const { listening, ended, stop } = serving(at("split"), "--port", "0");
    const url = await listening;
    delete process.env.DYNN_TOKEN;
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const headers = { authorization: "Bearer from-the-environment" };
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
    stop();
    await ended;
  });

  it.each([
    [["nothing"], 2, "nothing: there is no such folder."],
    [[at("staged")], 2, "is a staged bundle, expected a split bundle."],
    [[at("split"), "--host", "0.0.0.0"], 2, "other machines can reach it, but the server has no token."],
    [[at("split"), "--port", "65536"], 2, 'got "65536", expected a port from 0 (any free port) to 65535'],
    [[at("split"), "--token", "with space"], 2, "token: is empty, or holds characters"],
    [[at("split"), "--max-batch", "0"], 2, '--max-batch: got "0"'],
  ])("refuses %j", async (argv, code, text) => {
    const ran = await cli("serve", ...argv);
    expect(ran.err).toContain(text);
    expect(ran.code).toBe(code);
  });
});
