/** @file Copies the documents for TypeDoc: each gets a title and a group, and links to code lead to the repository. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

const GROUPS = { guide: "Guides", reference: "Reference", decision: "Decisions", embedded: "Try it" };

/** Stages all documents, and gives their number.
 * @param embedded pages that are shown inside a document of their own */
export function stageDocuments({ root, stage, embedded }) {
  const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const home = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  const files = ["docs", "docs/decisions"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md") && name !== "README.md")
      .map((name) => join(folder, name)),
  );
  const staged = new Set(files);
  const write = (path, text) => {
    mkdirSync(dirname(join(stage, path)), { recursive: true });
    writeFileSync(join(stage, path), text);
  };
  for (const path of files) {
    const text = plainHeadings(readFileSync(join(root, path), "utf8").replace(/^<!--.*?-->\s*/s, ""));
    write(path, frontMatter(titleOf(text), groupOf(path)) + relinked(text, { path, root, staged, home }));
  }
  for (const page of embedded) write(`docs/${page.name}.md`, embeddingPage(page));
  const index = existsSync(join(root, "docs/README.md")) ? "docs/README.md" : "README.md";
  // The pattern of the documents does not take this ending. The first page is no document.
  const first = untitled(readFileSync(join(root, index), "utf8"));
  write("docs/first.markdown", relinked(first, { path: index, root, staged, home }));
  cpSync(join(root, "docs/pictures"), join(stage, "docs/pictures"), { recursive: true });
  return { documents: files.length };
}

/** TypeDoc leaves code out of the anchors of headings. */
const plainHeadings = (text) => text.replace(/^#+ .*`.*$/gm, (heading) => heading.replaceAll("`", ""));

const titleOf = (text) => /^# (.+)$/m.exec(text)?.[1] ?? "Untitled";

/** Pages that are made from code, and contracts of files, are looked up. The others are read. */
function groupOf(path) {
  if (path.startsWith("docs/decisions/")) return GROUPS.decision;
  return /(attacks|cli|errors|models|networks|ops|zoo|glossary|tables|record|file|json)\.md$/.test(path)
    ? GROUPS.reference
    : GROUPS.guide;
}

/** The first page has the title of the site. */
const untitled = (text) => text.replace(/^# .+\n/m, "");

const frontMatter = (title, group) => `---\ntitle: ${JSON.stringify(title)}\ngroup: ${group}\n---\n\n`;

const embeddingPage = ({ title, name, start }) =>
  `${frontMatter(title, GROUPS.embedded)}# ${title}\n\n<p><a href="../${name}/${start}">Open it in a window of its own.</a></p>\n` +
  `<iframe src="../${name}/${start}" title="${title}" style="width: 100%; height: 85vh; border: 1px solid; border-radius: 6px"></iframe>\n`;

/** Links to documents and pictures stay. Links to other files of the repository lead to its home. */
const relinked = (text, { path, root, staged, home }) =>
  text.replace(/(\]\()([^)\s#]+)(#[^)\s]*)?(\))/g, (whole, open, target, anchor = "", close) => {
    if (/^[a-z]+:/.test(target)) return whole;
    const file = normalize(join(dirname(path), target));
    if (staged.has(file) || file.startsWith("docs/pictures/"))
      return `${open}${relative(path.startsWith("docs/") ? dirname(path) : "docs", file)}${anchor}${close}`;
    if (!existsSync(join(root, file))) return whole;
    return `${open}${home}/blob/main/${file}${anchor}${close}`;
  });
