/** @file Models whose constants lie in other files, and a folder full of places that they must not be read from. */
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TensorProto_DataLocation } from "../../src/onnx/generated/onnx_pb.js";
import { modelBytes, type TensorInit, Type, value } from "../onnx/protos.js";
import type { Dice } from "./dice.js";

/** Where a tensor's data may be said to lie, and whether that is outside the model's folder. */
export const LOCATIONS: readonly (readonly [location: string, outside: boolean])[] = [
  ...[
    "w.bin",
    "./w.bin",
    "inner/w.bin",
    "inner/../w.bin",
    "inside-link.bin",
    "sparse.bin",
    "gone.bin",
    "",
    ".",
    "inner",
  ].map((location) => [location, false] as const),
  ...["w.bin\u0000", "loop.bin", "model.onnx", "w.bin/x", "W.BIN", "x".repeat(5000)].map(
    (location) => [location, false] as const,
  ),
  ...[
    "..",
    "../secret.bin",
    "inner/../../secret.bin",
    "..\\secret.bin",
    "link.bin",
    "link/secret.bin",
    "up/secret.bin",
  ].map((location) => [location, true] as const),
  ...["/etc/passwd", "/dev/zero", "/proc/self/environ", "C:\\w.bin", "\\\\host\\w.bin", "file:///etc/passwd"].map(
    (location) => [location, true] as const,
  ),
];

/** Where the testing process leaves the name of the stage it is in, beside the models. */
export const STAGE_FILE = "stage";

/** Bytes of a file without contents: more than a JavaScript buffer holds. */
const SPARSE = 2 ** 33;

/** Put data into `top`/model, a secret beside that folder, and links of all kinds. */
export function furnish(top: string): void {
  const folder = join(top, "model");
  mkdirSync(join(folder, "inner"), { recursive: true });
  for (const path of ["model/w.bin", "model/inner/w.bin", "secret.bin"])
    writeFileSync(join(top, path), new Uint8Array(64));
  writeFileSync(join(folder, "sparse.bin"), "");
  truncateSync(join(folder, "sparse.bin"), SPARSE);
  const links = {
    "inside-link.bin": "inner/w.bin",
    "loop.bin": "loop.bin",
    "link.bin": "../secret.bin",
    link: "..",
    up: top,
  };
  for (const [name, to] of Object.entries(links)) symlinkSync(to, join(folder, name));
}

/** x [n,2] and some constants with data in other files. */
export function besideModel(dice: Dice): { readonly bytes: Uint8Array; readonly escapes: boolean } {
  const places = Array.from({ length: dice.pick([1, 1, 2, 3]) }, () => dice.pick(LOCATIONS));
  return {
    bytes: modelBytes({
      initializer: places.map(([location], i) => tensorAt(`w${i}`, location, dice)),
      node: places.map((_, i) => ({ opType: "Add", input: [i === 0 ? "x" : `y${i - 1}`, `w${i}`], output: [`y${i}`] })),
      output: [value(`y${places.length - 1}`, ["n", 2n])],
    }),
    escapes: places.some(([, outside]) => outside),
  };
}

function tensorAt(name: string, location: string, dice: Dice): TensorInit {
  const entries = [
    { key: "location", value: location },
    ...(dice.chance(0.5) ? [{ key: "offset", value: number(dice, ["0", "8", "56"]) }] : []),
    ...(dice.chance(0.9) ? [{ key: "length", value: number(dice, ["8"]) }] : []),
    ...(dice.chance(0.2) ? [{ key: dice.pick(["checksum", "basepath", "__proto__"]), value: "w.bin" }] : []),
  ];
  return {
    name,
    dataType: Type.FLOAT,
    dims: [dice.chance(0.9) ? 2n : dice.pick([16n, -1n, 2n ** 40n])],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: entries,
  };
}

/** What a file says of an offset or a length: it is text. Mostly one that fits. */
const number = (dice: Dice, fitting: readonly string[]): string =>
  dice.chance(0.8) ? dice.pick(fitting) : dice.pick([String(dice.int()), "1e3", "0x10", " 8", "8.5", "-8", "", "NaN"]);
