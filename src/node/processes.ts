/** @file Which process made something, and whether that process still runs. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { sha256 } from "../core/digest.js";

let key: string | undefined;

/** Eight hexadecimal digits that stand for this machine. A process number means nothing on another
 * one. */
export const hostKey = (): string => {
  key ??= sha256(new TextEncoder().encode(hostname())).slice(0, 8);
  return key;
};

/** Whether a process of this machine runs, whoever owns it. One that has ended and was not
 * collected yet (a zombie) does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return !["Z", "X"].includes(fieldsOf(pid)?.[0] ?? "");
}

/** When a process began, in ticks since the machine started; undefined where the system does not
 * tell (not Linux). Two processes with one number differ in it. */
export const startOf = (pid: number): string | undefined => fieldsOf(pid)?.[19];

/** The fields of a process on Linux, from its state on. Source: proc(5), /proc/PID/stat from
 * field 3. */
function fieldsOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in field 2 may hold spaces and brackets.
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
