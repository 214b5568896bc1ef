/** @file The guess behind "Did you mean": one for commands, options, networks of the zoo, attacks
 *  and forms of data. */

/** The most changed letters, and the share of the longer word that must stay. */
const [MOST_CHANGES, LEAST_SHARE] = [3, 0.6];

/** The known names that are closest to a word: those with the fewest changed letters, if they are
 * alike at all. Else those that contain the word, and else those that contain all its parts.
 * @example guesses("resnet2O-joint", ["resnet20-joint", "vgg16"]); // ["resnet20-joint"] */
export function guesses(word: string, known: Iterable<string>): string[] {
  const names = [...new Set(known)];
  const given = word.toLowerCase();
  const ranked = names.map((name) => ({ name, changes: changesBetween(given, name.toLowerCase()) }));
  const alike = ranked.filter(({ name, changes }) => isAlike(changes, Math.max(given.length, name.length)));
  const least = Math.min(...alike.map(({ changes }) => changes));
  if (alike.length > 0) return alike.filter(({ changes }) => changes === least).map(({ name }) => name);
  if (given.length < 3) return [];
  const whole = names.filter((name) => name.toLowerCase().includes(given));
  return (whole.length > 0 ? whole : names.filter((name) => holdsParts(name.toLowerCase(), given))).slice(0, 3);
}

/** Whether a name contains all parts of a word of several parts. */
function holdsParts(name: string, word: string): boolean {
  const parts = word.split(/[-_.:/ ]+/).filter((part) => part !== "");
  return parts.length > 1 && parts.every((part) => name.split("-").includes(part));
}

/** " Did you mean a or b?", or nothing where no name is close.
 * @param shown writes a name as the user must give it */
export function didYouMean(word: string, known: Iterable<string>, shown = (name: string): string => name): string {
  const found = guesses(word, known).slice(0, 3).map(shown);
  return found.length === 0 ? "" : ` Did you mean ${found.join(" or ")}?`;
}

const isAlike = (changes: number, length: number): boolean =>
  changes <= MOST_CHANGES && (length - changes) / length >= LEAST_SHARE;

/** Letters to insert, remove, replace, or swap with the next one.
 * Source: the optimal string alignment form of Damerau, "A technique for computer detection and
 * correction of spelling errors", CACM 1964. */
function changesBetween(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + Number(a[i - 1] !== b[j - 1]);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}
