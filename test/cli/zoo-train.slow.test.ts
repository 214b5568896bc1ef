/** @file `dynn zoo train` on a tiny plan and tiny data, in processes of their own: killed at random
 *  moments, it ends with the same bytes. They run what `npm run build` made. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../../src/core/digest.js";
import { uniform } from "../../src/core/rng.js";
import { openOnnx } from "../../src/node/models.js";
import { networkDigest } from "../../src/node/studies/context.js";
import { studyRecordSchema } from "../../src/schema/study/record.js";
import { type ZooIndex, zooIndexSchema } from "../../src/schema/zoo.js";
import { TINY_INDEX, tinyRecords, tinyStudy, writeTinyArchive } from "../support/tiny-training.js";
import { filesIn, type Ran, temporaryFolder } from "./support.js";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");
const folder = temporaryFolder();
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const FILES = ["tiny-heads.onnx", "tiny-joint.onnx", "tiny.onnx"];
/** `DYNN_KILLS=20` makes it the test of the record. */
const KILLS = Number(process.env.DYNN_KILLS ?? 8);

interface Started {
  readonly kill: () => void;
  readonly ended: Promise<Ran>;
}

function started(name: string, ...more: readonly string[]): Started {
  const argv = ["zoo", "train", "--index", at("index.json"), "--data", at("data"), "-o", at(name), ...more];
  const child = spawn(process.execPath, [MAIN, ...argv], { env: { ...process.env, DYNN_CACHE: at(`${name}.cache`) } });
  let [out, err] = ["", ""];
  child.stdout.on("data", (part: Buffer) => {
    out += part;
  });
  child.stderr.on("data", (part: Buffer) => {
    err += part;
  });
  const ended = new Promise<Ran>((resolve) => child.on("close", (code) => resolve({ code: code ?? -1, out, err })));
  return { kill: () => child.kill("SIGKILL"), ended };
}

let took = 0;
let whole: Ran;
beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error("there is no dist/cli/main.js: run `npm run build` first");
  writeTinyArchive(at("data"));
  writeFileSync(at("index.json"), JSON.stringify(TINY_INDEX));
  writeFileSync(at("short.json"), JSON.stringify(shortIndex()));
  const begun = performance.now();
  whole = await started("whole").ended;
  took = performance.now() - begun;
}, 180_000);

/** The networks with one run of one pass each. */
function shortIndex(): ZooIndex {
  const networks = Object.entries<ZooIndex["networks"][string]>(TINY_INDEX.networks).map(([name, network]) => [
    name,
    { ...network, runs: network.runs.slice(0, 1).map((run) => ({ ...run, epochs: 1 })) },
  ]);
  return { ...TINY_INDEX, networks: Object.fromEntries(networks) };
}

/** The index of a folder without what depends on the clock. */
function indexIn(name: string): unknown {
  const { networks } = zooIndexSchema.parse(JSON.parse(readFileSync(at(name, "index.json"), "utf8")));
  return Object.fromEntries(
    Object.entries(networks).map(([key, { result, ...rest }]) => [
      key,
      { ...rest, result: { ...result, training: null } },
    ]),
  );
}

describe("dynn zoo train", () => {
  it("trains a network before those that begin with it, and writes files and index", () => {
    expect(whole.err.match(/^\[\d\/3\] \S+$/gm)).toEqual(["[1/3] tiny", "[2/3] tiny-heads", "[3/3] tiny-joint"]);
    expect(whole.code).toBe(0);
    expect(filesIn(at("whole")).sort()).toEqual(["index.json", ...FILES].sort());
  });

  it("stores a frozen backbone once: the heads refer to the static file", () => {
    const [heads, alone, joint] = FILES.map((file) => readFileSync(at("whole", file)));
    expect(heads.includes("tiny.onnx")).toBe(true);
    expect(alone.includes("tiny.onnx")).toBe(false);
    expect(heads.length).toBeLessThan(joint.length);
  });

  it("does nothing when nothing is missing, and says so with --plan", async () => {
    const again = await started("whole").ended;
    expect([again.code, again.out]).toEqual([0, `3 of 3 networks are trained in ${at("whole")}.\n`]);
    expect((await started("whole", "--plan").ended).out).toContain("Nothing is missing.");
  });

  it("says with --plan how many hours are missing, and trains nothing", async () => {
    const { code, out } = await started("planned", "--plan").ended;
    expect(code).toBe(0);
    expect(out).toMatch(/^0 of 3 networks/);
    expect(out).toMatch(/\ntiny-joint +\d+\.\d\n/);
    expect(out).toMatch(/\n\d+\.\d hours in all/);
    expect(existsSync(at("planned"))).toBe(false);
  });

  it("trains into the cache, and verify measures the same accuracy with ONNX Runtime alone", async () => {
    const cached = { ...process.env, DYNN_CACHE: at("cached") };
    const call = (...argv: readonly string[]) =>
      spawnSync(process.execPath, [MAIN, ...argv], { env: cached, encoding: "utf8" });
    expect(call("zoo", "train", "tiny", "tiny-heads", "--index", at("short.json"), "--data", at("data")).status).toBe(
      0,
    );
    const verified = call("zoo", "verify", "tiny", "tiny-heads", "--data", at("data"));
    expect(
      verified.stdout.match(/SHA-256 as in the index; \d+\.\d % at the final exit; at most 0 of 60 answers/g),
    ).toHaveLength(2);
    expect(verified.status).toBe(0);
    expect(call("inspect", "zoo:tiny-heads").stdout).toContain("policy: max-softmax");
    // Other data have another accuracy, and that is an error.
    mkdirSync(at("other"));
    writeFileSync(at("other", "test_batch.bin"), tinyRecords(60, 2));
    const wrong = call("zoo", "verify", "tiny", "--data", at("other"));
    expect([wrong.status, wrong.stderr.includes("[zoo/damaged]")]).toEqual([1, true]);
  }, 120_000);

  it("gives the networks that tasks of a study train, bit for bit", async () => {
    writeFileSync(at("study.yaml"), JSON.stringify(tinyStudy("data")));
    const call = (...argv: readonly string[]) =>
      spawnSync(process.execPath, [MAIN, "study", ...argv], { encoding: "utf8", cwd: folder });
    const planned = call("plan", "study.yaml", "--train", "-o", "study.json");
    expect(planned.stdout).toMatch(/\ntrain +3 /);
    expect(planned.stdout).toMatch(/3 networks do not exist yet, and tasks of the study train them.*tiny-joint: /s);
    expect(call("run", "study.json", "--out", "study", "--threads", "2").status).toBe(0);
    const record = studyRecordSchema.parse(JSON.parse(readFileSync(at("study/record.json"), "utf8")));
    for (const { name, sha256, exits } of record.networks) {
      const { source } = await openOnnx(at("whole", `${name}.onnx`));
      expect([name, sha256]).toEqual([name, networkDigest(source)]);
      expect(exits).toHaveLength(name === "tiny" ? 1 : 3);
    }
    // A file with its own backbone is the same. That of heads alone refers to the backbone's file.
    for (const file of ["tiny.onnx", "tiny-joint.onnx"]) {
      const digest = sha256(readFileSync(at("whole", file)));
      expect(existsSync(at("study/store/objects", digest.slice(0, 2), digest))).toBe(true);
    }
  }, 120_000);

  it(`that is killed ${KILLS} times, at random in each part of a run, ends with the same bytes`, async () => {
    let kills = 0;
    for (let attempt = 0; kills < KILLS; attempt++) {
      const [wait] = uniform({ seed: 8, sample: attempt, purpose: "test", step: 0 }, 1);
      const running = started("killed");
      // Starting takes most of a short run. Later moments meet the work.
      const timer = setTimeout(running.kill, 300 + ((took / 3) * (kills + wait)) / KILLS);
      const { code } = await running.ended;
      clearTimeout(timer);
      if (code === -1) kills++;
      else {
        // The run was done before the kill. The next kills meet a new run.
        expect(code).toBe(0);
        checkKilled();
        rmSync(at("killed"), { recursive: true });
      }
    }
    expect((await started("killed").ended).code).toBe(0);
    checkKilled();
  }, 600_000);
});

/** Compare what the killed runs left with what one run made. */
function checkKilled(): void {
  for (const file of FILES) expect(readFileSync(at("killed", file)).equals(readFileSync(at("whole", file)))).toBe(true);
  expect(indexIn("killed")).toEqual(indexIn("whole"));
}
