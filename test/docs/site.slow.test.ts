/** The documentation site: TypeDoc reads every document, every public name has its types, and no link leads nowhere. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ROOT } from "./documents.js";

const folder = mkdtempSync(join(tmpdir(), "dynn-site-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Links {
  readonly pages: number;
  readonly links: number;
  readonly broken: readonly string[];
}

const { brokenLinks } = (await import(join(ROOT, "scripts/site/links.mjs"))) as {
  readonly brokenLinks: (site: string, apart?: readonly string[]) => Links;
};

const typedoc = ["tools/api-docs/node_modules/typedoc", "node_modules/typedoc"].some((path) =>
  existsSync(join(ROOT, path)),
);

describe("the documentation site", () => {
  test.skipIf(!typedoc)(
    "is built, and none of its links leads nowhere",
    () => {
      const out = execFileSync("node", ["scripts/make-site.mjs"], { cwd: ROOT, encoding: "utf8" });
      const [, pages, documents, links, broken] =
        /(\d+) pages from (\d+) documents, (\d+) links checked, (\d+) lead/.exec(out) ?? [];
      expect([Number(documents) > 40, Number(pages) > 500, Number(links) > 10_000, Number(broken)], out).toEqual([
        ...[true, true, true, 0],
      ]);
      const page = readFileSync(join(ROOT, "out/site/documents/Architecture.html"), "utf8");
      expect(page).toContain("Principles");
      expect(page).toContain("https://github.com/dynn-project/dynn/blob/main/src/attacks/runner.ts");
    },
    300_000,
  );

  test("a link to no file, to no heading or out of the folder is found", () => {
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "a.html"), '<h1 id="x">A</h1><a href="sub/b.html#y">b</a><a href="https://x.org">c</a>');
    const bad = ["none.html", "../a.html#z", "../../out.html", "pic.png"].map((to) => `<a href="${to}">.</a>`);
    writeFileSync(join(folder, "sub/b.html"), `<h1 id="y">B</h1><a href="../a.html#x">a</a>${bad.join("")}`);
    const { pages, links, broken } = brokenLinks(folder);
    expect([pages, links]).toEqual([2, 6]);
    expect(broken.map((text) => text.split(": ").slice(1).join(": "))).toEqual([
      "none.html: there is no such file",
      "../a.html#z: there is no such heading",
      "../../out.html: leads out of the site",
      "pic.png: there is no such file",
    ]);
  });
});
