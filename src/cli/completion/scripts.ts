/** @file The completion scripts of bash, zsh and fish. Each is text made from the tree of commands,
 *  so that a shell starts no dynn while a person types. */
import type { Completed, Node } from "./tree.js";

/** Makes the script of a shell.
 * @param nodes all commands
 * @param networks what stands after "zoo:" */
export type Script = (nodes: readonly Node[], networks: readonly string[]) => string;

const flagsOf = ({ options }: Node): string[] => options.flatMap(({ flags }) => flags);

/** The commands that lead to a path: "zoo list" is reached from "zoo" by the word "list". */
const steps = (nodes: readonly Node[]): string[] =>
  nodes.flatMap(({ path, commands }) =>
    commands.map(({ name }) => `      "${path}/${name}") command="${`${path} ${name}`.trim()}" ;;`),
  );

/** One line for each option that takes a value. Without words the shell offers files. */
const values = (nodes: readonly Node[]): string[] =>
  nodes.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(
        ({ flags, words }) =>
          `    ${flags.map((flag) => `"${path}/${flag}"`).join("|")}) reply="${words.join(" ")}"; return ;;`,
      ),
  );

/** One line for each command: its options, then what else may stand there. */
const offers = (nodes: readonly Node[], networks: readonly string[]): string[] =>
  nodes.map((node) => {
    const named = node.commands.map(({ name }) => name);
    const zoo = node.takesModel ? networks.map((name) => `zoo:${name}`) : [];
    return `    "${node.path}") flags="${flagsOf(node).join(" ")}"; reply="${[...named, ...zoo].join(" ")}" ;;`;
  });

/** What bash and zsh share: from the words before the cursor to `reply`. */
const find = (
  nodes: readonly Node[],
  networks: readonly string[],
): string => `# Sets reply to the words that may follow. Empty: a file.
_dynn_find() {
  local command="" last="" word flags
  for word in "$@"; do
    case "$command/$word" in
${steps(nodes).join("\n")}
    esac
    last="$word"
  done
  reply=""
  case "$command/$last" in
${values(nodes).join("\n")}
  esac
  case "$command" in
${offers(nodes, networks).join("\n")}
  esac
  case "$current" in -*) reply="$flags" ;; esac
}`;

/** Bash 3.2 or newer. A colon ends a word of bash, so the part before it is cut off the reply. */
const bash: Script = (
  nodes,
  networks,
) => `# Completion of dynn for bash. Put this into ~/.bashrc: source <(dynn completion bash)
${find(nodes, networks)}

_dynn() {
  local line="\${COMP_LINE:0:COMP_POINT}" current reply one
  local -a before
  current="\${line##*[[:space:]]}"
  read -ra before <<< "\${line%"$current"}"
  _dynn_find "\${before[@]:1}"
  COMPREPLY=()
  while IFS= read -r one; do
    [[ -n "$one" ]] || continue
    if [[ "$current" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then one="\${one#"\${current%:*}:"}"; fi
    COMPREPLY+=("$one")
  done < <(compgen -W "$reply" -- "$current")
}
complete -o bashdefault -o default -F _dynn dynn
`;

const zsh: Script = (nodes, networks) => `#compdef dynn
# Completion of dynn for zsh. Put this into ~/.zshrc, after compinit: source <(dynn completion zsh)
${find(nodes, networks)}

_dynn() {
  local current="\${words[CURRENT]}" reply
  _dynn_find "\${(@)words[2,CURRENT-1]}"
  if [[ -n "$reply" ]]; then compadd -- \${=reply}; fi
  if [[ -z "$reply" || "$reply" == *zoo:* ]]; then _files; fi
}
compdef _dynn dynn
`;

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const short = (about: string): string => quoted(about.split(/[;:(.]| \| /)[0].trim());

/** Fish reads one line for each word. */
const fish: Script = (nodes, networks) =>
  [
    "# Completion of dynn for fish. Run: dynn completion fish > ~/.config/fish/completions/dynn.fish",
    ...nodes.flatMap((node) => [
      ...fishCommands(node),
      ...node.options.map((option) => fishOption(node, option)),
      ...fishZoo(node, networks),
    ]),
    "",
  ].join("\n");

/** The condition that the words so far are the path, and that no command below it follows. */
function at({ path, commands }: Node): string {
  const seen = path
    .split(" ")
    .filter(Boolean)
    .map((name) => `__fish_seen_subcommand_from ${name}`);
  const none =
    commands.length > 0 ? [`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(" ")}`] : [];
  return quoted([...seen, ...none].join("; and "));
}

const fishCommands = (node: Node): string[] =>
  node.commands.map(({ name, about }) => `complete -c dynn -n ${at(node)} -f -a ${name} -d ${short(about)}`);

function fishOption(node: Node, { flags, about, takesValue, words }: Completed): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(" ");
  const value = takesValue ? (words.length > 0 ? ` -x -a ${quoted(words.join(" "))}` : " -r") : "";
  return `complete -c dynn -n ${at(node)} ${names}${value} -d ${short(about)}`;
}

const fishZoo = (node: Node, networks: readonly string[]): string[] =>
  node.takesModel
    ? [`complete -c dynn -n ${at(node)} -a ${quoted(networks.map((name) => `zoo:${name}`).join(" "))}`]
    : [];

/** The scripts by shell. */
export const SCRIPTS = { bash, zsh, fish } as const satisfies Record<string, Script>;
