/** @file A user who does what errors advise and knows nothing else: the next command line for a message, by rules that read its words. */

/** What a user has at hand when an error asks for it. */
export interface AtHand {
  /** A file as the advice asks the exporter to write it. */
  readonly exported?: string | undefined;
  /** The same data with images of the size that the model takes. */
  readonly resized?: string | undefined;
  /** Height and width of the user's images. */
  readonly imageSize?: string | undefined;
  /** Other data to choose thresholds on. */
  readonly validation?: string | undefined;
  /** Writes a file and returns its path. */
  readonly write: (text: string) => string;
}

type Argv = readonly string[];
/** The next command line. Undefined where the user lacks what the advice asks for. */
type Follow = (argv: Argv, words: RegExpMatchArray, have: AtHand) => Argv | undefined;

/** The command line with an option set, or added. */
export function set(argv: Argv, flag: string, ...value: readonly string[]): Argv {
  const at = argv.indexOf(flag);
  if (at < 0) return [...argv, flag, ...value];
  return [...argv.slice(0, at + 1), ...value, ...argv.slice(at + 1 + value.length)];
}

/** The command line without an option and its value. */
const without = (argv: Argv, ...flags: readonly string[]): Argv =>
  argv.filter((word, i) => !flags.includes(word) && !flags.includes(argv[i - 1] ?? ""));

const model = (argv: Argv, path: string | undefined): Argv | undefined =>
  path === undefined ? undefined : [argv[0] ?? "", path, ...argv.slice(2)];
const first = (list: string | undefined): string => list?.split(", ")[0] ?? "";
const given = (argv: Argv, flag: string, value: string | undefined): Argv | undefined =>
  value === undefined ? undefined : set(argv, flag, value);

/** Each alternative that an advice names is a way of its own. */
const RULES: readonly (readonly [words: RegExp, follow: Follow])[] = [
  [/outputs (\S+) and \S+ cost as much .* \(--final\)/, (argv, [, name]) => set(argv, "--final", name ?? "")],
  [/"(.+)" is not a classifier output, expected one of (.+)\. Name one of these \(--exits, --final\)/, named],
  [/does not have an exit "(.+)", expected one of (.+)\. Name one of these \(--exits, --final\)/, named],
  [/Give the image size.*\(--image-size\)/, (argv, _, have) => given(argv, "--image-size", have.imageSize)],
  [/say which class of the model each one is.*--classes/, mapped],
  [/take the order \(.*--by-order\)/, (argv) => [...argv, "--by-order"]],
  [/Leave the normalisation out/, (argv) => without(argv, "--mean", "--std")],
  [/force it \(--force-normalization\)/, (argv) => [...argv, "--force-normalization"]],
  [/Leave the order of channels out \(--channels\)/, (argv) => without(argv, "--channels")],
  [/expected (\d+) of each, one per channel\. Give as many/, counted],
  [/Write e\.g\. ((?:--\S+ \S+ ?)+)\. \[/, example],
  [/Write e\.g\. (--\S+ \S+)\. \[/, example],
  [/Write a fraction such as (\S+)\./, (argv, [, value]) => set(argv, "--eps", value ?? "")],
  [/\(folder:DIR without \?size resizes\)/, resized],
  [/Report at most (\d+) records/, (argv, [, most]) => set(argv, "--samples", most ?? "")],
  [/Give other data to choose them on/, (argv, _, have) => given(argv, "--validation", have.validation)],
  [/or give the thresholds .*--threshold/, (argv) => set(argv, "--threshold", "0.5")],
  [/takes numbers from 0 to 1\. Choose one in that range/, (argv) => set(argv, "--threshold", "0.5")],
  [/write never for an exit that must not fire/, (argv) => set(argv, "--threshold", "never")],
  [/or let dynn choose \(--threshold\)/, (argv) => without(argv, "--threshold")],
  [/List one number, or one per early exit/, (argv) => set(argv, "--threshold", "0.5")],
  [/audit this one with the attacks "none" \(--attacks\)/, (argv) => set(argv, "--attacks", "none")],
  [/the loss sum.*\(--loss\)/, (argv) => set(argv, "--loss", "sum")],
  [/the model has (.+)\. Choose one of these/, (argv, [, names]) => set(argv, "--loss", first(names))],
  [/Choose from (zoo:)?([^,]+),/, (argv, [, , name]) => model(argv, `zoo:${name}`)],
  [/Run `dynn (\w+) --help`/, (_, [, command]) => [command ?? "", "--help"]],
  [/Run `dynn zoo list`/, () => ["zoo", "list"]],
  [
    /\. (?:If exactly one class .*, )?[Ee]xport |Give the float model|Export with/,
    (argv, _, have) => model(argv, have.exported),
  ],
];

function named(argv: Argv, [, wrong, names]: RegExpMatchArray): Argv {
  return argv.map((word) => (word === wrong ? first(names) : word));
}

/** Writes the map from classes of the data to those of the model: in their order where the words do not help. Several classes of the data
 *  may be one class of the model, as breeds are dogs. */
function mapped(argv: Argv, { input = "" }: RegExpMatchArray, { write }: AtHand): Argv {
  const list = (of: RegExp): string[] => of.exec(input)?.[1]?.split(", ") ?? [];
  const data = list(/Classes of the data: (.+?)\. /);
  const numbers = /Classes of .*: (\d+) to (\d+), without names/.exec(input);
  const names = numbers
    ? Array.from({ length: Number(numbers[2]) + 1 }, (_, i) => String(i))
    : list(/Classes of (?!the data)[^:]+: (.+?)\. /);
  const free = names.filter((name) => !data.includes(name));
  const pairs = data.map((name) => [name, names.includes(name) ? name : (free.shift() ?? names[0])] as const);
  return set(argv, "--classes", write(JSON.stringify(Object.fromEntries(pairs))));
}

/** As many numbers as there are channels. */
function counted(argv: Argv, [, channels]: RegExpMatchArray): Argv {
  const each = (value: string): string => new Array<string>(Number(channels)).fill(value).join(",");
  return set(set(argv, "--mean", each("0.5")), "--std", each("0.25"));
}

/** The options of an example, as it writes them. */
function example(argv: Argv, [, words = ""]: RegExpMatchArray): Argv {
  const parts = words.trim().split(" ");
  return parts.reduce<Argv>((sum, part, i) => (part.startsWith("--") ? set(sum, part, parts[i + 1] ?? "") : sum), argv);
}

/** A folder is resized when its spec names no size; other data are resized by the user. */
function resized(argv: Argv, _: RegExpMatchArray, have: AtHand): Argv | undefined {
  const spec = argv[argv.indexOf("--data") + 1] ?? "";
  if (spec.startsWith("folder:")) return set(argv, "--data", spec.replace(/\?.*/, ""));
  return given(argv, "--data", have.resized);
}

/** Every next command line that a message advises.
 * @returns undefined in the list for an advice that asks for what the user lacks */
export const followed = (argv: Argv, message: string, have: AtHand): (Argv | undefined)[] =>
  RULES.flatMap(([words, follow]) => {
    const match = words.exec(message.replaceAll("\n", " "));
    return match ? [follow(argv, match, have)] : [];
  });
