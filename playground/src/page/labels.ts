/** @file Whether the classes of the images are classes of the network. */
import type { NetworkFacts } from "../shared/messages.js";

const plain = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, " ");

/** The network's class for each class of the images. Names decide where the network has names, and
 * the order where it has none.
 * @returns undefined when a class of the images is no class of the network */
export function labelsIn(
  classes: readonly string[],
  { classes: own, named }: Pick<NetworkFacts, "classes" | "named">,
): number[] | undefined {
  if (!named) return own.length === classes.length ? classes.map((_, k) => k) : undefined;
  const names = own.map(plain);
  const found = classes.map((name) => names.indexOf(plain(name)));
  return found.includes(-1) ? undefined : found;
}
