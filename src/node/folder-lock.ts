/** @file Locks of folders that one process at a time may work in: a run folder, a folder of kept
 *  attacks. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DynnError } from "../core/errors.js";
import { codeOf, temporaryIn, unwritable } from "./output-files.js";
import { hostKey, isAlive, startOf } from "./processes.js";

/** The lock's file in the folder. */
export const LOCK = ".dynn-lock";

/** A lock with nothing in it is being written, unless it is older than this. */
const WRITING_MS = 5000;

const ownerSchema = z.object({
  pid: z.number().int().positive(),
  host: z.string(),
  start: z.string().optional(),
  since: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/** A lock that is held. */
export interface FolderLock {
  /** Let others in. A second call does nothing. */
  readonly release: () => void;
}

/** Take a folder for this process. The lock of a process that has ended, or whose number another
 * one has now, counts for nothing. The lock goes when it is released or the process ends.
 * @throws DynnError 'file/locked' when a process that runs holds it, 'file/unwritable' */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, LOCK);
  for (let tries = 0; tries < 3; tries++) {
    const own = ownerNow();
    if (create(path, own)) return held(path, own);
    const owner = ownerOf(path);
    if (owner !== undefined && !isStale(owner)) throw locked(folder, owner);
    remove(folder, path, owner);
  }
  throw locked(folder, undefined);
}

const ownerNow = (): Owner => ({
  ...{ pid: process.pid, host: hostKey(), start: startOf(process.pid) },
  since: new Date().toISOString(),
});

/** @returns whether the lock was made; false: there is one */
function create(path: string, owner: Owner): boolean {
  try {
    writeFileSync(path, `${JSON.stringify(owner)}\n`, { flag: "wx" });
    return true;
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return false;
    throw unwritable(path, cause, "Choose a folder that you may write to.");
  }
}

/** Who holds a lock; undefined when the lock is gone or damaged.
 * @throws DynnError 'file/locked' while it is being written */
function ownerOf(path: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (Math.abs(age) < WRITING_MS) throw locked(path, undefined);
    return undefined;
  }
}

const isStale = ({ pid, host, start }: Owner): boolean => {
  if (host !== hostKey()) return false;
  return !isAlive(pid) || (start !== undefined && startOf(pid) !== undefined && startOf(pid) !== start);
};

/** Two processes may find one stale lock: the first takes it away, and must not take what the
 * second made since. */
function remove(folder: string, path: string, owner: Owner | undefined): void {
  const away = temporaryIn(folder);
  try {
    renameSync(path, away);
  } catch {
    return;
  }
  const taken = quietOwner(away);
  if (JSON.stringify(taken) !== JSON.stringify(owner)) renameSync(away, path);
  else rmSync(away, { force: true });
}

function quietOwner(path: string): Owner | undefined {
  try {
    return ownerOf(path);
  } catch {
    return undefined;
  }
}

/** The folder may be gone by the end, and another process may have made and locked it anew. */
function held(path: string, owner: Owner): FolderLock {
  let own = true;
  const release = (): void => {
    if (!own) return;
    own = false;
    process.off("exit", release);
    if (JSON.stringify(quietOwner(path)) === JSON.stringify(owner)) rmSync(path, { force: true });
  };
  process.once("exit", release);
  return { release };
}

const locked = (folder: string, owner: Owner | undefined): DynnError =>
  new DynnError(
    "file/locked",
    owner === undefined
      ? `${folder}: another process has just begun to work in it. Wait until it ends, or give another folder.`
      : `${folder}: process ${owner.pid}${owner.host === hostKey() ? "" : " of another machine"} has worked in it since ${owner.since}. Wait until it ends, or give another folder; remove ${LOCK} there if that process is gone.`,
    { folder, ...(owner && { pid: owner.pid, since: owner.since }), options: ["run", "keep"] },
  );
