/** @file `dynn study query` and `dynn study export` on a study whose results are drawn. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { folderTaskStore } from "../../src/node/store/folder.js";
import { compileStudy } from "../../src/studies/study/compile.js";
import { madePlan, publishDrawn, writeStudyFolder } from "../support/made-study.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const study = join(folder, "study");
const whole = madePlan("max-softmax", "final");
const plan = { ...whole, attacks: whole.attacks.slice(0, 2), questions: ["C1" as const], timing: false };

beforeAll(async () => {
  writeStudyFolder(study, plan);
  const keys = compileStudy(plan).tasks.graph.all();
  const last = keys.filter(({ task }) => task.kind === "answers").at(-1);
  await publishDrawn(plan, await folderTaskStore(join(study, "store")), new Set([last?.key ?? ""]));
});

const query = (sql: string, ...more: string[]) => cli("study", "query", study, sql, ...more);

describe("query", () => {
  test("prints rows as a table, with their number", async () => {
    const { code, out } = await query("SELECT name, role FROM networks WHERE block = 'b-s1' ORDER BY name");
    expect(code).toBe(0);
    expect(out).toBe(
      "name           role\nb-gates.onnx   gates\nb-joint.onnx   joint\nb-static.onnx  static\n3 rows\n",
    );
  });

  test("prints JSON alone, and writes it to a file", async () => {
    const sql = "SELECT count(*) AS n, 0.5 AS half, NULL AS none, 9007199254740993 AS large FROM networks";
    expect(JSON.parse((await query(sql, "--json", "-")).out)).toEqual([
      { n: 7, half: 0.5, none: null, large: "9007199254740993" },
    ]);
    const file = join(folder, "rows.json");
    expect((await query(sql, "--json", file)).out).toContain(`wrote ${file}`);
    expect(JSON.parse(readFileSync(file, "utf8"))).toHaveLength(1);
  });

  test("knows the finished tasks alone", async () => {
    const { out } = await query("SELECT count(*) AS n, min(seconds) AS s FROM tasks", "--json", "-");
    expect(JSON.parse(out)).toEqual([{ n: compileStudy(plan).tasks.graph.size - 1, s: 0.5 }]);
    const times = await query("FROM latency", "--json", "-");
    expect(JSON.parse(times.out)).toEqual([]);
  });

  test.each([
    ["DROP VIEW answers", "got DROP, expected one statement that reads"],
    ["CREATE TABLE t AS SELECT 1", "got CREATE"],
    ["COPY answers TO 'answers.csv'", "Permission Error"],
    [`COPY tasks TO '${study}/store/objects/tasks.csv'`, "got COPY"],
    ["EXPLAIN ANALYZE SELECT 1", "got EXPLAIN"],
    ["SELECT 1; SELECT 2", "got 2 statements"],
    ["", "it is empty"],
    ["SELECT lable FROM answers", 'Referenced column "lable" not found'],
    ["SELEKT 1", "syntax error"],
    ["SELECT * FROM read_text('package.json')", "Permission Error"],
    ["@nothing", "@nothing: is no table of the questions. They are @routed"],
  ])("refuses %s", async (sql, says) => {
    const { code, err } = await query(sql);
    expect(err).toContain(says);
    expect(err).toContain("[study/sql]");
    expect(code).toBe(2);
  });

  test("a refused statement leaves no file", () => {
    expect(readdirSync(join(study, "store/objects")).filter((name) => name.includes("csv"))).toEqual([]);
  });

  test.each(["WITH a AS (SELECT 1) FROM a", "DESCRIBE answers", "SHOW TABLES", "SUMMARIZE tasks", "VALUES (1)"])(
    "answers %s",
    async (sql) => expect((await query(sql)).code).toBe(0),
  );

  test("says what to install when DuckDB is missing", async () => {
    vi.doMock("@duckdb/node-api", () => {
      throw new Error("no such package");
    });
    const { code, err } = await query("SELECT 1");
    vi.doUnmock("@duckdb/node-api");
    expect(err).toContain("Install it: npm install @duckdb/node-api. [study/duckdb]");
    expect(code).toBe(1);
  });

  test("refuses a folder without a study", async () => {
    expect((await cli("study", "query", folder, "SELECT 1")).err).toContain("holds no study");
  });
});

describe("export", () => {
  test("writes both tables and says what is left out", async () => {
    const [out, csv] = [join(folder, "all.parquet"), join(folder, "all.csv")];
    const ran = await cli("study", "export", study, "--out", out, "--csv", csv);
    expect(ran).toMatchObject({ code: 0, err: expect.stringContaining("1 pairs of attack and target are left out") });
    const rows = readFileSync(csv, "utf8").split("\n").length - 2;
    expect(ran.out).toBe(`wrote ${rows} rows to ${out} and ${csv}\n`);
    expect(readFileSync(out).subarray(0, 4).toString()).toBe("PAR1");
  });
});
