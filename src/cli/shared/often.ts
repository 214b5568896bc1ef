/** @file Help of commands with many options: those that are often used come first. */
import { type Command, Help, type Option } from "commander";

const [OFTEN, MORE] = ["Often used:", "More options:"];

const ranks = new WeakMap<Option, number>();

/** Marks the options that the help of a command begins with, in the order of `flags`. */
export function oftenUsed(command: Command, flags: readonly string[]): void {
  for (const [rank, flag] of flags.entries()) {
    const found = command.options.find(({ long }) => long === flag);
    if (found === undefined) throw new Error(`bug: ${command.name()} has no option ${flag}`);
    ranks.set(found, rank);
    found.helpGroup(OFTEN);
  }
}

const rankOf = (item: unknown): number => ranks.get(item as Option) ?? Number.POSITIVE_INFINITY;

const inOrder = <T>(items: readonly T[]): T[] =>
  [...items.keys()].sort((a, b) => rankOf(items[a]) - rankOf(items[b]) || a - b).map((index) => items[index]);

/** Groups of a help, for `configureHelp`. Without options that are often used all stays. */
export function groupItems<T extends Command | Option>(
  this: Help,
  all: T[],
  visible: T[],
  groupOf: (item: T) => string,
): Map<string, T[]> {
  const marked = all.some((item) => ranks.has(item as Option));
  const named = (item: T): string => (marked && groupOf(item) === "Options:" ? MORE : groupOf(item));
  return Help.prototype.groupItems.call(this, inOrder(all), inOrder(visible), named as never) as Map<string, T[]>;
}
