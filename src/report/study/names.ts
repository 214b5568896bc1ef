/** @file Short names of networks in plots. */

/** The names without the words, between hyphens, that all of them have. Names that would no longer
 * differ stay whole. */
export function distinct(names: readonly string[]): string[] {
  const words = names.map((name) => name.split("-"));
  const common = new Set((words[0] ?? []).filter((word) => words.every((others) => others.includes(word))));
  const shorter = words.map((own) => own.filter((word) => !common.has(word)).join("-"));
  const whole = new Set(names).size;
  return new Set(shorter).size === whole && shorter.every((name) => name !== "") ? shorter : [...names];
}
