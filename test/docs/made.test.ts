/** @file The documents that scripts/make-docs.mjs makes are what it would make now, from the source. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { catalogue } from "../../src/attacks/catalogue.js";
import { program } from "../../src/cli/run.js";
import { ERROR_TEXTS } from "../../src/core/error-texts.js";
import { ERROR_CODES } from "../../src/core/errors.js";
import { wilson } from "../../src/measures/wilson.js";
import { questionTables, RESULT_TABLES } from "../../src/node/studies/sql.js";
import { OPSETS } from "../../src/onnx/model.js";
import { OPS } from "../../src/ops/index.js";
import { MICROSOFT_DOMAIN, MICROSOFT_OPS } from "../../src/ops/microsoft/index.js";
import { UNSUPPORTED } from "../../src/ops/unsupported.js";
import { auditRecordSchema } from "../../src/schema/audit-record.js";
import { studyFileSchema } from "../../src/schema/study/file.js";
import { studyRecordSchema } from "../../src/schema/study/record.js";
import { ROUTED_COLUMNS } from "../../src/schema/study/tables.js";
import { STUDY_VIEWS, SUBJECT_COLUMNS } from "../../src/schema/study/views.js";
import { TIERS } from "../../src/schema/zoo.js";
import { STRANGER_CASES } from "../support/foreign/cases.js";
import { foreignRows } from "../support/foreign/rows.js";
import { ROOT } from "./documents.js";

interface Script {
  readonly madeDocs: (dynn: Readonly<Record<string, unknown>>) => Promise<ReadonlyMap<string, string>>;
}

const { madeDocs } = (await import(pathToFileURL(join(ROOT, "scripts/make-docs.mjs")).href)) as Script;
const docs = await madeDocs({
  catalogue,
  program,
  OPS,
  OPSETS,
  MICROSOFT_DOMAIN,
  MICROSOFT_OPS,
  UNSUPPORTED,
  ERROR_CODES,
  ERROR_TEXTS,
  auditRecordSchema,
  studyFileSchema,
  studyRecordSchema,
  TIERS,
  wilson,
  toJSONSchema: z.toJSONSchema,
  foreignRows,
  STRANGER_CASES,
  ...{ RESULT_TABLES, STUDY_VIEWS, SUBJECT_COLUMNS, ROUTED_COLUMNS, questionTables },
});

test.each([...docs])("%s is current (npm run build && node scripts/make-docs.mjs makes it again)", (path, text) => {
  expect(readFileSync(join(ROOT, path), "utf8")).toBe(text);
});

test("help shows no colour and no trailing space, whatever the terminal", () => {
  const cli = docs.get("docs/cli.md") ?? "";
  expect(cli).toContain("## dynn audit");
  expect(cli).not.toContain("\u001b");
  expect(cli).not.toMatch(/[ \t]$/m);
});
