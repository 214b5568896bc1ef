/** @file Which process made something, and whether that process still runs. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { sha256 } from "../core/digest.js";

let key: string | undefined;

/** Eight hexadecimal digits that stand for this machine. A process number means nothing on another one. */
export const hostKey = (): string => {
  key ??= sha256(new TextEncoder().encode(hostname())).slice(0, 8);
  return key;
};

/** Whether a process of this machine runs, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process began, in ticks since the machine started; undefined where the system does not tell (not Linux).
 * Two processes with one number differ in it. Source: proc(5), field 22 of /proc/PID/stat. */
export function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in field 2 may hold spaces and brackets.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
