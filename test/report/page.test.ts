import { parseHTML } from "linkedom/worker";
import { describe, expect, it } from "vitest";
import { auditTables } from "../../src/cli/audit/tables.js";
import { renderAudit } from "../../src/report/audit/page.js";
import { type AuditRecord, auditRecordSchema, type GalleryItem } from "../../src/schema/audit-record.js";
import { CLASSES, galleryOf, record, staticRecord } from "./fixture.js";

const page = renderAudit(record, { gallery: galleryOf(12), generatedBy: "dynn audit model.onnx" });
const documentOf = (text: string): Document => parseHTML(text).document;
const sectionsOf = (text: string): string[] =>
  [...documentOf(text).querySelectorAll("section")].map((section) => section.id);
const readable = (text: string): string =>
  (documentOf(text).querySelector("main")?.textContent ?? "").replace(/\u00a0/g, " ");

/** Whatever a browser could fetch: addresses in attributes and in CSS. */
function addresses(text: string): string[] {
  const elements = [...documentOf(text).querySelectorAll("*")];
  const attributes = elements.flatMap((element) =>
    ["src", "srcset", "href", "xlink:href", "data", "action", "poster"].map((name) => element.getAttribute(name)),
  );
  const css = [...text.matchAll(/url\(([^)]*)\)|@import\s+(\S+)/g)].map((match) => match[1] ?? match[2]);
  return [...attributes.filter((value) => value !== null), ...css];
}

describe("the page", () => {
  it("is drawn from a record that meets the contract", () => {
    expect(() => auditRecordSchema.parse(record)).not.toThrow();
    expect(() => auditRecordSchema.parse(staticRecord)).not.toThrow();
  });

  it("can reach nothing outside itself: every address is an image inside it or a place on it", () => {
    const found = addresses(page);
    expect(found.filter((address) => address.startsWith("data:image/png;base64,"))).toHaveLength(36);
    expect(found.filter((address) => !/^(data:image\/png;base64,|#)/.test(address))).toEqual([]);
    expect(page).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|<link|<iframe|\son\w+=/i);
  });

  it("is the same, byte for byte, when made again", () => {
    expect(
      renderAudit(structuredClone<AuditRecord>(record), {
        gallery: galleryOf(12),
        generatedBy: "dynn audit model.onnx",
      }),
    ).toBe(page);
  });

  it("holds no date, and no NaN or undefined", () => {
    expect(readable(page)).not.toMatch(/\b20\d\d-\d\d|NaN|undefined|null|\[object/);
  });

  it("stays under a megabyte with twelve images, of 32 pixels or of 224", () => {
    expect(page.length).toBeLessThan(300_000);
    expect(renderAudit(record, { gallery: galleryOf(12, 224) }).length).toBeLessThan(1_000_000);
  });

  it("has every section, linked from the top", () => {
    expect(sectionsOf(page)).toEqual([
      "summary",
      "exits",
      "attacks",
      "routing",
      "radius",
      "gallery",
      "methods",
      "words",
    ]);
    const links = [...documentOf(page).querySelectorAll("nav a")].map((link) => link.getAttribute("href"));
    expect(links).toEqual(["#exits", "#attacks", "#routing", "#radius", "#gallery", "#methods", "#words"]);
  });

  it("gives every image and plot words, every table a caption and headed rows and columns", () => {
    const document = documentOf(page);
    for (const image of document.querySelectorAll("img")) expect(image.getAttribute("alt")).toBeTruthy();
    for (const svg of document.querySelectorAll("svg:not([aria-hidden])")) {
      expect(svg.getAttribute("role")).toBe("img");
      expect(svg.getAttribute("aria-label")).toBeTruthy();
    }
    for (const table of document.querySelectorAll(".scroll > table")) {
      expect(table.querySelector("caption")?.textContent).toBeTruthy();
      for (const row of table.querySelectorAll("tbody tr"))
        expect(row.querySelectorAll("th[scope=row]")).toHaveLength(1);
    }
    expect(document.querySelectorAll("th:not([scope])")).toHaveLength(0);
  });

  it("shows each attack's rates with their intervals", () => {
    const text = readable(page);
    for (const figure of ["24.6 % (19.7–30.2)", "71.1 % (64.8–76.7)", "69.7 % (63.3–75.4)", "97.7 % (95.0–98.9)"])
      expect(text).toContain(figure);
  });

  it("says how to get the same numbers again", () => {
    const text = readable(page);
    for (const fact of [
      "seed7",
      "stepSize = 0.25/255",
      "max-softmax",
      "0.8, 0.8, 0.8, 0.8",
      "records 256–499 (244 samples)",
      "dynn 0.1.0",
      "dynn audit model.onnx",
    ])
      expect(text).toContain(fact);
  });
});

describe("the gallery", () => {
  it("marks wrong labels by a cross and the exit taken by a dot", () => {
    const [item] = galleryOf(1);
    const card = documentOf(renderAudit(record, { gallery: [item] })).querySelector(".item");
    const rows = [...(card?.querySelectorAll("tbody tr") ?? [])].map((row) => row.textContent?.replace(/\u00a0/g, " "));
    expect(rows).toEqual([
      "exit0● airplane83 %● ✗ cat81 %",
      "exit1airplane91 %✗ cat85 %",
      "exit2airplane95 %airplane52 %",
      "exit3airplane96 %✗ cat77 %",
      "finalairplane99 %✗ cat64 %",
    ]);
  });

  it("names a class without a name by its number", () => {
    const { classes: _, ...model } = record.model;
    expect(readable(renderAudit({ ...record, model }, { gallery: galleryOf(1) }))).toContain("truly class 0");
  });
});

describe("hostile names", () => {
  const evil = `</style></title></svg><script>alert("x")</script><img src=http://evil.test onerror='x'>&quot;&`;
  const named = <T extends { readonly name: string }>(item: T): T => ({ ...item, name: evil });
  const hostile: AuditRecord = {
    ...record,
    model: { ...record.model, name: evil, classes: CLASSES.map(() => evil), exits: record.model.exits.map(named) },
    data: { ...record.data, name: evil, validation: { name: evil, samples: 1 } },
    attacks: record.attacks.map((attack) => ({
      ...named(attack),
      objective: evil,
      answer: evil,
      parameters: { [evil]: evil },
    })),
    curves: record.curves.map(named),
    tool: { name: "dynn", version: evil },
  };
  const gallery = galleryOf(2).map((item): GalleryItem => ({ ...item, attack: evil }));
  const text = renderAudit(hostile, { gallery, generatedBy: evil });

  it("add no element and no address", () => {
    const tags = (markup: string) =>
      [...documentOf(markup).querySelectorAll("*")].map((element) => element.tagName.toLowerCase());
    const plain = renderAudit(record, { gallery: galleryOf(2), generatedBy: "x" });
    expect(new Set(tags(text))).toEqual(new Set(tags(plain)));
    expect(text).not.toMatch(/<script|<img src=http|onerror='/);
    expect(addresses(text).filter((address) => !/^(data:image\/png;base64,|#)/.test(address))).toEqual([]);
  });

  it("are shown as they are", () => {
    expect(documentOf(text).querySelector("h1")?.textContent).toContain(evil);
    expect(documentOf(text).querySelector(".item img")?.getAttribute("alt")).toContain("</style>");
  });
});

describe("less to show", () => {
  it("without attacks, curves and images leaves their sections out and says so", () => {
    const text = renderAudit({ ...record, attacks: [], curves: [] });
    expect(sectionsOf(text)).toEqual(["summary", "exits", "methods", "words"]);
    expect(readable(text)).toContain("No attack was run, so this report does not measure robustness.");
  });

  it("of a static network speaks of no routing", () => {
    const text = renderAudit(staticRecord);
    expect(sectionsOf(text)).toEqual(["summary", "exits", "attacks", "methods", "words"]);
    const words = documentOf(text).querySelector("#summary")?.textContent;
    expect(words).toContain("It has one exit");
    expect(words).not.toContain("routed");
  });

  it("of a static network has no columns of exits, on the page and in the terminal", () => {
    const document = documentOf(renderAudit(staticRecord, { gallery: galleryOf(2) }));
    const heads = [...document.querySelectorAll("th[scope=col]")].map((head) => head.textContent);
    expect(heads).toEqual(expect.arrayContaining(["network", "accuracy", "MACs", "robust accuracy"]));
    for (const head of ["exit", "stop here", "cost", "judged by", "routed accuracy"]) expect(heads).not.toContain(head);
    expect(document.querySelector(".item table")).toBeNull();
    const tables = auditTables(staticRecord);
    expect(tables).toMatch(/network +MACs +accuracy\n/);
    expect(tables).not.toMatch(/stop here|judged|routed %|cost %/);
    expect(auditTables(record)).toMatch(/judged[\s\S]*routed % +cost %/);
  });

  it("of an attack that never succeeded shows dashes for its sizes", () => {
    const attacks = [{ ...record.attacks[0], l2Mean: null, linfMax: null }];
    expect(documentOf(renderAudit({ ...record, attacks })).querySelector("#attacks tbody tr")?.textContent).toContain(
      "––",
    );
  });
});
