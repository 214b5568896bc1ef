/** @file Makes the documentation that must not drift from the code: docs/cli.md from the program's own help, docs/ops.md from the
 *  table of operators, docs/errors.md from the table of error codes, docs/attacks.md from the tables of attacks, docs/models.md from the models in the forms of other
 *  exporters, docs/audit.schema.json from the schema of the audit record. And src/report/shared/glossary-terms.ts from docs/glossary.md.
 *  Usage: npm run build && node scripts/make-docs.mjs [--check]   (--check writes nothing and fails when a file is stale) */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { attacksPage } from "./attack-docs.mjs";
import { glossaryTerms } from "./glossary-terms.mjs";
import { studyTablesPage } from "./study-tables-docs.mjs";
import { zooCurves, zooPage } from "./zoo-docs.mjs";

const root = resolve(import.meta.dirname, "..");
const HELP_WIDTH = 100;

const madeBy = (what) => `<!-- Made by scripts/make-docs.mjs from ${what}. Change that, not this file. -->\n`;
const plain = (cell) => String(cell).replaceAll("|", "\\|");

function markdownTable(heads, rows) {
  const line = (cells) => `| ${cells.map(plain).join(" | ")} |\n`;
  return line(heads) + line(heads.map(() => "---")) + rows.map(line).join("");
}

/** The help of one command as a terminal of fixed width shows it, colours left out. */
function helpOf(command) {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => HELP_WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd().replaceAll(/[ \t]+$/gm, "");
}

async function cli({ program }) {
  const dynn = await program({ out: () => {}, err: () => {}, signal: new AbortController().signal });
  const within = (command, above) => {
    const name = above === "" ? command.name() : `${above} ${command.name()}`;
    return [{ command, name }, ...command.commands.flatMap((part) => within(part, name))];
  };
  const sections = within(dynn, "").map(({ command, name }) => {
    return `\n## ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
  });
  return `${madeBy("src/cli")}
# The command

What \`dynn --help\` and the help of each command print. Radii are in pixel units: inputs lie in [0,1], and 8/255 is a usual
Linf radius. Wherever a number is expected, a fraction (8/255) or a percentage (5%) will do.

Tables are as wide as the terminal, or 80 columns where there is none; \`COLUMNS\` sets another width. \`dynn completion\` prints what
bash, zsh and fish need to complete commands, options and networks.

Results go to standard output, progress and errors to standard error. Exit codes: 0 done, 1 the work failed, 2 the call was
wrong, 130 interrupted. [errors.md](errors.md) says which error has which.
${sections.join("")}`;
}

const gradientOf = ({ vjp }) => (typeof vjp === "function" ? "yes" : `none: ${vjp.none}`);

const OPERATOR_HEADS = ["operator", "gradient", "limit", "MACs"];
const operatorRows = (table) =>
  Object.entries(table).map(([type, def]) => [
    `\`${type}\``,
    gradientOf(def),
    def.limit ?? "",
    def.macs ? "yes" : "no",
  ]);

function ops({ OPS, OPSETS, UNSUPPORTED, MICROSOFT_OPS, MICROSOFT_DOMAIN }) {
  const rows = operatorRows(OPS);
  const differentiable = Object.values(OPS).filter(({ vjp }) => typeof vjp === "function").length;
  const missing = [...UNSUPPORTED]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, { status, reason, instead }]) => [`\`${type}\``, status, `${reason}. ${instead}.`]);
  return `${madeBy("src/ops")}
# Operators

dynn reads ONNX models of opset ${OPSETS.oldest} to ${OPSETS.newest} that use these ${rows.length} operators; ${differentiable} of them have a gradient rule. \`Constant\`
nodes become constants when a model is read. An operator that is not listed is refused with the error \`model/op\`, before
anything runs.

*Gradient*: whether a loss can be differentiated through the operator. Integers, masks and shapes carry no gradient and need
none. *Limit*: what of it is refused, its gradient with \`gradient/none\`. *MACs*: whether its multiply-accumulates count towards
the cost of an exit.

${markdownTable(OPERATOR_HEADS, rows)}
## Operators of ONNX Runtime

dynn reads these operators of the domain \`${MICROSOFT_DOMAIN}\`, which ONNX Runtime's quantizer writes. Others of that domain are
refused. [method.md](method.md#4-attacks) says what quantized operators mean for attacks.

${markdownTable(OPERATOR_HEADS, operatorRows(MICROSOFT_OPS))}
## Operators that dynn does not have

These are the rest of ONNX's own operators of those opsets, and why a model that uses one is refused.

${markdownTable(["operator", "status", "reason"], missing)}`;
}

function errors({ ERROR_CODES, ERROR_TEXTS }) {
  const rows = Object.entries(ERROR_CODES).map(([code, { exit }]) => [`\`${code}\``, exit, ERROR_TEXTS[code]]);
  return `${madeBy("src/core/errors.ts")}
# Errors

An error reads \`where: what is wrong, got, expected. What to do. [code]\`. In a program it is a \`DynnError\` with \`code\` and
\`detail\`, the same facts as data. The command prints the message and ends with the exit status below: 2 when the call was
wrong, 1 when the work failed. Interrupted with Ctrl-C, it ends with 130. A failure without a code is a bug of dynn, ends with
1, and asks to be reported.

${markdownTable(["code", "exit", "about"], rows)}`;
}

const zooIndex = () => JSON.parse(readFileSync(join(root, "zoo/index.json"), "utf8"));

const zoo = ({ wilson, TIERS }) =>
  zooPage(zooIndex(), { wilson, TIERS, table: markdownTable, made: madeBy("zoo/index.json") });

const attackRecords = () => {
  const folder = join(root, "bench/records/attack-reference");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().flatMap((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
};

const attacks = ({ catalogue }) =>
  attacksPage(catalogue(), attackRecords(), { table: markdownTable, made: madeBy("src/attacks") });

const studyTables = (dynn) => studyTablesPage(dynn, { table: markdownTable, made: madeBy("src/schema/study and sql") });

function schema(title, of, toJSONSchema, io = "output") {
  const { $schema, ...rest } = toJSONSchema(of, { io });
  return `${JSON.stringify({ $schema, title, ...rest }, undefined, 2)}\n`;
}

const sentences = (says) => says.map((one) => one.replace(/\.?$/, ".")).join(" ");

function models({ foreignRows, STRANGER_CASES }) {
  const rows = foreignRows();
  const does = ({ code, says }) =>
    code ? `**refuses** with \`${code}\`: ${sentences(says)}` : `**reads** it. ${sentences(says)}`.trimEnd();
  const read = rows.filter(({ code }) => code === undefined).length;
  const quoted = (words) => words.map((one) => (one.startsWith("-") ? `\`${one}\`` : one)).join(" ... ");
  return `${madeBy("test/support/foreign")}
# Models of other exporters

dynn reads classifiers that other tools wrote. \`dynn inspect FILE\` says what dynn changed on reading, and every table, report
and record of the file repeats it. What dynn cannot read is refused with a code ([errors.md](errors.md)) and the type, the axis or
the node that is the problem. A file may also state exits, gates and a policy in metadata of dynn: see
[architecture.md](architecture.md#from-a-graph-to-a-dynamic-model) and [gates.md](gates.md).

## Kinds of files

${rows.length} small files, each in the form of an exporter. A script of the tests draws them with random weights
([test/support/foreign](../test/support/foreign)); no file of another project is here. A test compares the answers of each of the ${read} files
that dynn reads with the answers of ONNX Runtime for the file itself: within 1e-4 of the largest, 1e-2 for float16, and the steps of 8 bits for
quantised files. \`FILE\` stands for the file's name.

${markdownTable(
  ["made by", "form", "what dynn does"],
  rows.map((row) => [row.maker, row.form, does(row)]),
)}
## Ten cases of users

What users met with version 0.1.0, and what the same command prints now. The files are in
[test/fixtures/cases](../test/fixtures/cases), and a test runs each command.

${markdownTable(
  ["case", "file or data", "before", "now"],
  STRANGER_CASES.map(({ folder, what, before, after }) => [folder.slice(0, 2), what, before, quoted(after)]),
)}`;
}

/** Every made file, by its path in the repository.
 * @param dynn the parts of dynn that the documents are made from */
export const madeDocs = async (dynn) =>
  new Map(
    [
      ["docs/cli.md", await cli(dynn)],
      ["docs/ops.md", ops(dynn)],
      ["docs/errors.md", errors(dynn)],
      ["docs/attacks.md", attacks(dynn)],
      ["docs/models.md", models(dynn)],
      ["docs/study-tables.md", studyTables(dynn)],
      ["docs/zoo.md", zoo(dynn)],
      ["docs/pictures/zoo-curves.svg", zooCurves(zooIndex())],
      ["docs/audit.schema.json", schema("dynn audit record", dynn.auditRecordSchema, dynn.toJSONSchema)],
      ["docs/study-file.schema.json", schema("dynn study file", dynn.studyFileSchema, dynn.toJSONSchema, "input")],
      ["src/report/shared/glossary-terms.ts", glossaryTerms(readFileSync(join(root, "docs/glossary.md"), "utf8"))],
      ["docs/study-record.schema.json", schema("dynn study record", dynn.studyRecordSchema, dynn.toJSONSchema)],
    ].map(([path, text]) => [path, /\.(json|ts)$/.test(path) ? formatted(path, text) : text]),
  );

/** As the project's formatter would have it. */
const formatted = (path, text) =>
  execFileSync("node", [join(root, "node_modules/@biomejs/biome/bin/biome"), "format", `--stdin-file-path=${path}`], {
    cwd: root,
    input: text,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "inherit"],
  });

/** Import the parts from the built package. */
async function built() {
  await import("../test/fuzz/typescript.mjs");
  return Object.assign(
    {},
    ...(await Promise.all([
      import("../dist/attacks/catalogue.js"),
      import("../dist/cli/run.js"),
      import("../dist/ops/index.js"),
      import("../dist/ops/microsoft/index.js"),
      import("../dist/ops/unsupported.js"),
      import("../dist/onnx/model.js"),
      import("../dist/core/errors.js"),
      import("../dist/core/error-texts.js"),
      import("../dist/schema/audit-record.js"),
      import("../dist/schema/study/file.js"),
      import("../dist/schema/study/record.js"),
      import("../dist/schema/study/tables.js"),
      import("../dist/schema/study/views.js"),
      import("../dist/node/studies/sql.js"),
      import("../dist/schema/zoo.js"),
      import("../dist/measures/wilson.js"),
      import("../test/support/foreign/rows.ts"),
      import("../test/support/foreign/cases.ts"),
      import("zod"),
    ])),
  );
}

async function main(check) {
  const docs = await madeDocs(await built());
  const stale = [...docs].filter(([path, text]) => current(path) !== text);
  for (const [path, text] of stale) {
    if (!check) writeFileSync(join(root, path), text);
    console.log(`${check ? "stale" : "wrote"} ${path}`);
  }
  if (check && stale.length > 0) process.exitCode = 1;
}

function current(path) {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename))
  await main(process.argv.includes("--check"));
