/** @file Every report explains the words that it uses, and no others, with the sentences of docs/glossary.md. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseHTML } from "linkedom/worker";
import { describe, expect, it, test } from "vitest";
import { renderAudit } from "../../src/report/audit/page.js";
import { glossarySection, usedTerms } from "../../src/report/shared/glossary.js";
import { GLOSSARY } from "../../src/report/shared/glossary-terms.js";
import { html } from "../../src/report/shared/html.js";
import { galleryOf, record, staticRecord } from "./fixture.js";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/glossary.md"), "utf8");
const termsOf = (text: string): string[] => usedTerms(text).map(([term]) => term);
const shownIn = (text: string): string[] =>
  [...parseHTML(text).document.querySelectorAll("#words dt")].map((term) => term.textContent ?? "");

describe("the words of a report", () => {
  test("have the sentences of the glossary", () => {
    for (const [term, meaning] of Object.entries(GLOSSARY))
      expect(page.replaceAll("`", "")).toMatch(
        new RegExp(`\\| ${term} +\\| ${meaning.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")} +\\|`),
      );
  });

  it("are found in the singular and the plural, as words of their own", () => {
    expect(termsOf("Two policies and exits; Thresholds.")).toEqual(["exit", "policy", "threshold"]);
    expect(termsOf("an excited multi-exit shortcut")).toEqual([]);
  });

  it("are not found in attributes and styles, and none gives no section", () => {
    expect(glossarySection(html`<p title="${"an exit > a gate"}">A day.</p>`)).toEqual([]);
  });

  it("of an audit are those that it uses", () => {
    const dynamic = shownIn(renderAudit(record, { gallery: galleryOf(2) }));
    expect(dynamic).toEqual(
      expect.arrayContaining(["exit", "cost", "EEC curve", "confusion", "radius", "routed answer"]),
    );
    expect(dynamic).not.toContain("gate");
    const fixed = shownIn(renderAudit({ ...staticRecord, attacks: [], curves: [] }));
    expect(fixed).toContain("interval");
    expect(fixed).not.toContain("threshold");
    expect(fixed).not.toContain("EEC curve");
  });
});
