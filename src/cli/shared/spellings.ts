/** @file Other ways to ask for the version and for help. */

/** The command line with the spelling that the program knows. `help` of an unknown command becomes
 * that command, whose error names it and guesses.
 * @param names the names of the commands */
export function spelled(argv: readonly string[], names: readonly string[]): readonly string[] {
  const [first, second, ...rest] = argv;
  if ((first === "-v" || first === "version") && second === undefined) return ["--version"];
  const isKnown = second === undefined || second === "help" || second.startsWith("-") || names.includes(second);
  return first === "help" && !isKnown ? [second, ...rest] : argv;
}
