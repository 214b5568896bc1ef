/** @file What a task is: one step of a study, named by the hash of all that decides its result.
 *  Source: docs/studies.md, tasks. */
import { sha256 } from "../../core/digest.js";

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/** The hash that names a task, 64 hexadecimal digits. */
export type TaskKey = string;

/** One step of a study. */
export interface Task {
  /** The kind of work. Its definition runs the task. */
  readonly kind: string;
  /** Version of the kind. A new version gives new keys, so old results are not taken for new
   * ones. */
  readonly version: number;
  /** All that decides the result, apart from the inputs. */
  readonly parameters: { readonly [name: string]: Json | undefined };
  /** Keys of the tasks whose results it reads, by the name that the kind gives them. */
  readonly inputs: { readonly [name: string]: readonly TaskKey[] };
}

/** Version of the form of keys. */
const FORMAT = 1;

/** The key of a task. Equal tasks have equal keys, whatever the order of their fields.
 * @example keyOf({ kind: "answers", version: 1, parameters: { rule: "entropy" }, inputs: {} }) */
export const keyOf = ({ kind, version, parameters, inputs }: Task): TaskKey =>
  sha256(new TextEncoder().encode(canonicalJson(["dynn task", FORMAT, kind, version, parameters, inputs])));

/** JSON with sorted names. Undefined fields are left out.
 * @throws Error, as a bug of dynn, for a number that JSON cannot hold */
export function canonicalJson(value: Json | undefined): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`bug: JSON cannot hold ${value}`);
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const names = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(",")}}`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
