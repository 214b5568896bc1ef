/** @file Checks of the arguments of public functions. TypeScript checks them too, but not in a
 *  program of plain JavaScript. */
import { DynnError } from "./errors.js";

/** A kind of argument: the properties that it must have, and where a program gets one. */
interface Kind {
  readonly has: readonly string[];
  readonly from: string;
}

const KINDS = {
  model: { has: ["input"], from: "`await load(...)` returns one" },
  backend: { has: ["compile"], from: "Give `ortNode()` of dynn/node or `ortWeb()` of dynn/web" },
  data: { has: ["labels", "read"], from: "`await openDataset(...)` returns one" },
  images: { has: ["data", "dims", "rows"], from: "`await readImage(...)` and `Images.for(model, pixels)` return some" },
  logits: { has: ["exits", "classes"], from: "`await forward.logits(...)` returns some" },
  policy: { has: ["rule", "thresholds"], from: "`makePolicy(model, { thresholds: 0.8 })` makes one" },
  bundle: { has: ["manifest"], from: "`await openBundle(...)` returns one" },
  options: { has: [], from: "Give an object" },
} as const satisfies Readonly<Record<string, Kind>>;

/** Checks that arguments are what a function works on.
 * @param where the function's name
 * @param given each argument under the name of its kind
 * @throws DynnError 'call/argument' naming the first that is not
 * @example checkGiven("createExecutor", { model, backend: options?.backend }); */
export function checkGiven(where: string, given: Readonly<Partial<Record<keyof typeof KINDS, unknown>>>): void {
  for (const name of Object.keys(given) as (keyof typeof KINDS)[]) {
    const { has, from }: Kind = KINDS[name];
    const value = given[name];
    if (typeof value === "object" && value !== null && has.every((key) => key in value)) continue;
    const advice = value instanceof Promise ? `Write await in front of it` : from;
    throw new DynnError("call/argument", `${where}: ${name} is ${kindOf(value)}. ${advice}.`, { where, name });
  }
}

/** Checks pixels: a whole array of float32.
 * @throws DynnError 'call/argument' */
export function checkFloats(where: string, value: unknown): void {
  if (value instanceof Float32Array) return;
  const advice =
    value instanceof Uint8Array || value instanceof Uint8ClampedArray
      ? "Divide the bytes by 255 into a Float32Array, or read the file with readImage"
      : value instanceof Promise
        ? "Write await in front of it"
        : "Give a Float32Array of pixels in [0,1], or the Images that readImage returns";
  throw new DynnError("call/argument", `${where}: images are ${kindOf(value)}, expected float32. ${advice}.`, {
    where,
    name: "images",
  });
}

/** What a value is, for people. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return `${value}`;
  if (typeof value !== "object") return `a ${typeof value}`;
  const name = value.constructor?.name ?? "Object";
  return name === "Object"
    ? `an object with ${Object.keys(value).slice(0, 5).join(", ") || "nothing in it"}`
    : `a ${name}`;
}
