/** @file The memory that this process can still take. */
import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";

/** What the system tells of its memory. */
export interface MemorySources {
  /** The folder where a Linux container finds its limits and its use, of version 1 or 2. */
  readonly cgroup: string;
  /** Bytes that the process may take. Without a limit, Node.js gives 0 or a number above all
   * memory. */
  readonly limit: () => number;
  /** Bytes of the machine that are free, and all of them. */
  readonly free: () => number;
  readonly total: () => number;
  /** Bytes that this process takes. */
  readonly own: () => number;
}

const SYSTEM: MemorySources = {
  cgroup: "/sys/fs/cgroup",
  limit: () => process.constrainedMemory(),
  free: freemem,
  total: totalmem,
  own: () => process.memoryUsage.rss(),
};

/** Bytes of memory that are free. The limit of a container counts too. Pages of files that the
 * system can drop count as free.
 * @example
 * freeMemory() / 1e9; // 21.5 on a machine with 24 GB */
export function freeMemory(sources: MemorySources = SYSTEM): number {
  const [limit, free] = [sources.limit(), sources.free()];
  return limit > 0 && limit < sources.total() ? Math.min(free, Math.max(0, limit - usedInContainer(sources))) : free;
}

/** Bytes that count towards the limit of the container and cannot be dropped. Where the system does
 * not tell, only this process counts. */
function usedInContainer({ cgroup, own }: MemorySources): number {
  const used = contents(`${cgroup}/memory.current`) ?? contents(`${cgroup}/memory/memory.usage_in_bytes`);
  const stat = contents(`${cgroup}/memory.stat`) ?? contents(`${cgroup}/memory/memory.stat`) ?? "";
  const inactive = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
  return used === undefined ? own() : Number(used) - inactive;
}

function contents(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
