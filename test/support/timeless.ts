/** @file What two runs of one call may differ in: times, memory, and the facts of the run (date, command, machine). */

const RUN_FIELDS: ReadonlySet<string> = new Set(["seconds", "memory", "made"]);

/** A record without those fields, at any depth. */
export function timeless<T>(record: T): T {
  if (Array.isArray(record)) return record.map(timeless) as T;
  if (typeof record !== "object" || record === null) return record;
  const kept = Object.entries(record).filter(([name]) => !RUN_FIELDS.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, timeless(value)])) as T;
}
