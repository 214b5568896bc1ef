/** @file The memory that this process can still take. */
import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";

/** Bytes of memory that are free. The limit of a container counts too. Pages of files that the
 * system can drop count as free.
 * @example
 * freeMemory() / 1e9; // 21.5 on a machine with 24 GB */
export function freeMemory(): number {
  const limit = process.constrainedMemory();
  // Without a limit, Node.js gives 0 or a number above all memory.
  return limit > 0 && limit < totalmem() ? Math.min(freemem(), Math.max(0, limit - usedInContainer())) : freemem();
}

const CGROUP = "/sys/fs/cgroup";

/** Bytes that count towards the limit of the container and cannot be dropped. Where the system does
 * not tell, only this process counts. */
function usedInContainer(): number {
  const used = contents("memory.current") ?? contents("memory/memory.usage_in_bytes");
  const stat = contents("memory.stat") ?? contents("memory/memory.stat") ?? "";
  const inactive = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
  return used === undefined ? process.memoryUsage.rss() : Number(used) - inactive;
}

function contents(name: string): string | undefined {
  try {
    return readFileSync(`${CGROUP}/${name}`, "utf8");
  } catch {
    return undefined;
  }
}
