/** @file Makes docs/study-tables.md from the columns of the tables and the SQL of the questions. */

/** Columns that stand before those of every table of results. */
const sharedNote = (columns) =>
  Object.keys(columns)
    .map((name) => `\`${name}\``)
    .join(", ");

const ABOUT = {
  tasks: "Finished tasks.",
  networks: "Networks, one row for each block that a network is in.",
  exits: "Exits of networks.",
  policies: "Thresholds of early exits. Networks with one exit have none.",
  attacks: "Attacks of the plan.",
  timedSets: "What the sets of `latency` are.",
  contestants: "What the contestants of `pace` are.",
  answers: "What every exit answers, one row per image and exit.",
  outcomes: "What an attack did to each sample.",
  latency: "Measured times of single images. Two runs differ.",
  pace: "Measured times of attacks. Two runs differ.",
  slopes: "Gradients beside finite differences.",
};

/** @param dynn the parts of dynn that the page is made from
 *  @param table a Markdown table of heads and rows
 *  @param made the line that names the source */
export function studyTablesPage(
  { RESULT_TABLES, STUDY_VIEWS, SUBJECT_COLUMNS, ROUTED_COLUMNS, questionTables },
  { table, made },
) {
  const columns = (of) =>
    table(
      ["column", "type", "meaning"],
      Object.entries(of).map(([name, [type, about]]) => [`\`${name}\``, type, about]),
    );
  const section = (name, of) => `### ${name}\n\n${ABOUT[name]}\n\n${columns(of)}`;
  const results = Object.entries(RESULT_TABLES).map(([name, { columns: own }]) => section(name, own));
  const views = Object.entries(STUDY_VIEWS).map(([name, own]) => section(name, own));
  const questions = questionTables().map(({ name, about }) => [`\`@${name}\``, about]);
  return `${made}
# Tables of a study

The results of a study are tables. \`dynn study query\` asks them in SQL, and \`dynn study export\` writes the routed results
as one file. Every task of a study also leaves its own Parquet file, which is never changed: it is read back and its rows
are counted before it appears ([how a study runs](studies.md)).

## Questions in SQL

DuckDB answers. It is an optional package (\`npm install @duckdb/node-api\`). A query is one statement that reads: what does
more is refused, by DuckDB's own parser. The database is in memory and reads the files of the study alone. The tables hold
the tasks of the plan that are done.

\`\`\`sh
dynn study plan examples/studies/one-question.yaml -o question.json
dynn study run question.json --out question
dynn study query question @costShift
dynn study query question "SELECT network, attack, avg(cost) AS cost FROM routed GROUP BY ALL ORDER BY ALL"
dynn study query question "FROM tasks" --json tasks.json
dynn study export question -o question.parquet --csv question.csv
\`\`\`

These tables of the questions are views as well, so that a query can go on with them. Their SQL is in [sql](../sql). Tests
compare them with the record, which is computed without SQL.

${table(["name", "shows"], questions)}
## The exported table

One row per attacked image and target, sorted by data, surrogate, exits, attack, target, records and sample. The same study
gives the same bytes. Samples that a comparison should leave out are kept: \`cleanAnswer\` and \`label\` say who was right.

${columns(ROUTED_COLUMNS)}
## Reading it elsewhere

| program | how |
| --- | --- |
| DuckDB | \`SELECT attack, target, avg((answer <> label)::INT) FROM 'question.parquet' GROUP BY ALL\` |
| pandas | \`pandas.read_parquet("question.parquet").groupby(["attack", "target"]).size()\` |
| Polars | \`polars.read_parquet("question.parquet").group_by("attack", "target").len()\` |

## Tables of results

Each has these columns first: ${sharedNote(SUBJECT_COLUMNS)}.

${columns(SUBJECT_COLUMNS)}
${results.join("\n")}
## Tables that describe the study

${views.join("\n")}`;
}
