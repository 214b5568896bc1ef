/** @file Where networks of the zoo are found, and what is refused. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../../src/core/digest.js";
import { openOnnx } from "../../../src/node/models.js";
import { keepNetwork } from "../../../src/node/zoo/get.js";
import { findNetwork } from "../../../src/node/zoo/places.js";
import { type ZooIndex, zooIndexSchema } from "../../../src/schema/zoo.js";

const ZOO = resolve(import.meta.dirname, "../../../zoo");
const root = mkdtempSync(join(tmpdir(), "dynn-zoo-"));
const environment = { cache: process.env.DYNN_CACHE, zoo: process.env.DYNN_ZOO };
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
  restore("DYNN_CACHE", environment.cache);
  restore("DYNN_ZOO", environment.zoo);
});
const restore = (key: string, value: string | undefined): void => {
  if (value === undefined) delete process.env[key];
  else process.env[key] = value;
};

const index: ZooIndex = zooIndexSchema.parse(JSON.parse(readFileSync(join(ZOO, "index.json"), "utf8")));
const [missingName, missingNetwork] = Object.entries(index.networks).find(
  ([, { result, init }]) => !result && init === null,
) ?? [""];
const demo = join(ZOO, "resnet20-cifar10-joint.onnx");
const digest = sha256(readFileSync(demo));

let made = 0;
beforeEach(() => {
  process.env.DYNN_CACHE = join(root, `cache-${made++}`);
  delete process.env.DYNN_ZOO;
});

/** A folder that has the bytes of the demo network under the name of one that is not trained. */
function mirror(bytes: Uint8Array = readFileSync(demo), sha = digest): string {
  const folder = join(root, `mirror-${made++}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${missingName}.onnx`), bytes);
  const result = {
    ...index.networks["resnet20-cifar10-joint"]?.result,
    file: { sha256: sha, bytes: bytes.length, packedBytes: 1 },
  };
  writeFileSync(
    join(folder, "index.json"),
    JSON.stringify({ ...index, aliases: {}, networks: { [missingName]: { ...missingNetwork, result } } }),
  );
  return folder;
}

describe("a bundled network", () => {
  test("is found under its name and its earlier name, and its SHA-256 can be pinned", async () => {
    for (const name of ["resnet20-cifar10-joint", "resnet20-joint", `resnet20-joint@sha256:${digest}`])
      expect(await findNetwork(name)).toEqual({
        name: "resnet20-cifar10-joint",
        path: demo,
        kind: "bundled",
        sha256: digest,
      });
    expect((await openOnnx(`zoo:resnet20-joint@sha256:${digest}`)).name).toBe("resnet20-joint");
    await expect(findNetwork(`resnet20-joint@sha256:${"0".repeat(64)}`)).rejects.toMatchObject({ code: "zoo/damaged" });
  });
});

describe("a network that is not here", () => {
  test("is refused with every way to get it; an unknown name with the names that there are", async () => {
    await expect(findNetwork(missingName)).rejects.toMatchObject({
      code: "zoo/missing",
      message: expect.stringMatching(/dynn zoo train .*dynn-zoo-.*cache-\d+.zoo.*DYNN_ZOO/),
    });
    await expect(findNetwork("resnet21")).rejects.toMatchObject({
      code: "zoo/unknown",
      message: expect.stringContaining("resnet20-joint"),
    });
  });

  test("is taken from a folder that DYNN_ZOO names, and kept in the cache when asked", async () => {
    process.env.DYNN_ZOO = `${join(root, "nowhere")}, ${mirror()}`;
    expect(await findNetwork(missingName)).toMatchObject({ kind: "mirror", sha256: digest });
    expect(existsSync(process.env.DYNN_CACHE ?? "")).toBe(false);
    const kept = await keepNetwork(missingName);
    expect(kept.kind).toBe("cache");
    delete process.env.DYNN_ZOO;
    expect(await findNetwork(missingName)).toMatchObject({ kind: "cache", path: kept.path });
  });

  test("is taken from an installed package dynn-zoo-NAME", async () => {
    const project = join(root, `project-${made++}`);
    const folder = join(project, "node_modules", `dynn-zoo-${missingName}`);
    mkdirSync(folder, { recursive: true });
    const from = mirror();
    for (const file of [`${missingName}.onnx`, "index.json"]) copyFileSync(join(from, file), join(folder, file));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: `dynn-zoo-${missingName}`, version: "1.0.0" }));
    const before = process.cwd();
    process.chdir(project);
    try {
      expect(await findNetwork(missingName)).toMatchObject({ kind: "package", sha256: digest });
    } finally {
      process.chdir(before);
    }
  });

  test("is refused when its bytes are not those of the index", async () => {
    process.env.DYNN_ZOO = mirror(readFileSync(demo).subarray(1));
    await expect(findNetwork(missingName)).rejects.toMatchObject({ code: "zoo/damaged" });
  });
});

describe("a mirror at an address", () => {
  async function served(folder: string, work: (address: string, asked: string[]) => Promise<void>): Promise<void> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      const file = join(folder, request.url ?? "");
      response.writeHead(existsSync(file) ? 200 : 404).end(existsSync(file) ? readFileSync(file) : "");
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    try {
      await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
    } finally {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  }

  test("fills the cache once, and is not asked for what is here", async () => {
    await served(mirror(), async (address, asked) => {
      process.env.DYNN_ZOO = `${address}/`;
      await findNetwork("resnet20-joint");
      expect(asked).toEqual([]);
      expect(await findNetwork(missingName)).toMatchObject({ kind: "cache", sha256: digest });
      expect(asked).toEqual(["/index.json", `/${missingName}.onnx`]);
      await findNetwork(missingName);
      expect(asked).toHaveLength(2);
    });
  });

  test("that lies about a file, has no index, or does not answer is refused, and leaves no file", async () => {
    await served(mirror(readFileSync(demo), "0".repeat(64)), async (address) => {
      process.env.DYNN_ZOO = address;
      await expect(findNetwork(missingName)).rejects.toMatchObject({ code: "zoo/damaged" });
    });
    await served(root, async (address) => {
      process.env.DYNN_ZOO = address;
      await expect(findNetwork(missingName)).rejects.toMatchObject({ code: "zoo/download" });
      writeFileSync(join(root, "index.json"), "no JSON");
      await expect(findNetwork(missingName)).rejects.toMatchObject({ code: "zoo/index" });
    });
    process.env.DYNN_ZOO = "http://127.0.0.1:9";
    await expect(findNetwork(missingName)).rejects.toMatchObject({ code: "zoo/download" });
    expect(existsSync(join(process.env.DYNN_CACHE ?? "", "zoo"))).toBe(false);
  });
});
