/** @file A stranger's folder: dynn installed as a package and on the path, a model, and small data of every kind that the documents
 *  speak of. It is built from the repository's own dist, which `npm test` makes before the tests. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { openDataset } from "../../src/node/data/open.js";
import { ROOT } from "./documents.js";

const RECORDS = 48;
const PIXELS = 3 * 32 * 32;

export interface Stranger {
  readonly folder: string;
  /** Run a program there; rejects when it fails, its output in the message. */
  readonly run: (file: string, args: readonly string[]) => Promise<string>;
  readonly remove: () => void;
}

/** Set the folder up.
 * @throws Error when dist is missing */
export async function makeStranger(): Promise<Stranger> {
  const command = join(ROOT, "dist/cli/main.js");
  if (!existsSync(command)) throw new Error(`${command} is missing. Run npm run build first; npm test does.`);
  const folder = mkdtempSync(join(tmpdir(), "dynn-docs-"));
  const place = (path: string) => join(folder, path);
  for (const name of ["bin", "node_modules", "node_modules/.bin"]) mkdirSync(place(name));
  symlinkSync(ROOT, place("node_modules/dynn"), "dir");
  // What examples import besides dynn.
  for (const name of ["onnxruntime-node", "onnxruntime-common", "sharp"])
    symlinkSync(join(ROOT, "node_modules", name), place(`node_modules/${name}`), "dir");
  writeFileSync(place("bin/dynn"), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`, { mode: 0o755 });
  // `npx dynn` finds it there.
  symlinkSync(place("bin/dynn"), place("node_modules/.bin/dynn"));
  writeFileSync(place("package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
  cpSync(join(ROOT, "zoo/resnet20-cifar10-joint.onnx"), place("model.onnx"));
  cpSync(join(ROOT, "examples"), place("examples"), { recursive: true });
  for (const name of ["zoo", "samples"]) symlinkSync(join(ROOT, name), place(name), "dir");
  await writeData(place);
  const env = { ...process.env, NO_COLOR: "1", PATH: `${place("bin")}${delimiter}${process.env.PATH}` };
  return {
    folder,
    run: async (file, args) => {
      const { stdout, stderr } = await promisify(execFile)(file, [...args], { cwd: folder, env }).catch(explain);
      return stdout + stderr;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The reason why a program failed is in what it printed. */
function explain(thrown: unknown): never {
  const { message, stdout, stderr } = thrown as Error & { readonly stdout?: string; readonly stderr?: string };
  throw new Error(`${message}\n${stdout ?? ""}${stderr ?? ""}`);
}

/** The first bundled images as a CIFAR-10 archive, as an npy pair and as a folder of PNG files. */
async function writeData(place: (path: string) => string): Promise<void> {
  const data = await openDataset("sample");
  const pixels = new Float32Array(RECORDS * PIXELS);
  await data.read(
    Array.from({ length: RECORDS }, (_, i) => i),
    pixels,
  );
  const bytes = Uint8Array.from(pixels, (v) => Math.round(v * 255));
  const labels = data.labels.subarray(0, RECORDS);
  const recordOf = (i: number) => bytes.subarray(i * PIXELS, (i + 1) * PIXELS);
  mkdirSync(place("cifar-10-batches-bin"));
  writeFileSync(
    place("cifar-10-batches-bin/test_batch.bin"),
    Buffer.concat([...labels].flatMap((label, i) => [Buffer.of(label), recordOf(i)])),
  );
  writeFileSync(place("x.npy"), npy("|u1", [RECORDS, 3, 32, 32], bytes));
  writeFileSync(place("y.npy"), npy("<i4", [RECORDS], new Uint8Array(Int32Array.from(labels).buffer)));
  for (const [i, label] of [...labels].slice(0, 20).entries()) {
    const folder = place(`photos/${data.classes?.[label]}`);
    mkdirSync(folder, { recursive: true });
    await sharp(interleaved(recordOf(i)), { raw: { width: 32, height: 32, channels: 3 } }).toFile(
      join(folder, `${i}.png`),
    );
  }
  // A photo of another size, as a camera gives it.
  await sharp(interleaved(recordOf(3)), { raw: { width: 32, height: 32, channels: 3 } })
    .resize(160, 160, { kernel: "nearest" })
    .extend({ left: 30, right: 30, background: "#808080" })
    .toFile(place("photo.png"));
}

const interleaved = (planes: Uint8Array): Uint8Array =>
  planes.map((_, k) => planes[(k % 3) * 1024 + Math.floor(k / 3)]);

/** NumPy's file format 1.0. */
function npy(descr: string, shape: readonly number[], bytes: Uint8Array): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const header = `${text.padEnd(117)}\n`;
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8]),
    Buffer.from(header),
    bytes,
  ]);
}
