/** @file The documentation as data: its files and the comments of the sources, with fenced code blocks, headings and links. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

export interface Block {
  /** "README.md:42" */
  readonly at: string;
  readonly document: string;
  readonly language: string;
  readonly text: string;
}

export interface Link {
  readonly at: string;
  readonly target: string;
}

export interface Document {
  /** Path from the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  readonly anchors: ReadonlySet<string>;
}

const FENCE = /^```([\w-]*)\n([\s\S]*?)^```$/gm;
const LINK = /\]\(([^)\s]+)\)/g;

/** Spaces and line ends, so that places stay. */
const blank = (text: string): string => text.replaceAll(/[^\n]/g, " ");

const markdownIn = (folder: string, recursive: boolean): string[] =>
  readdirSync(join(ROOT, folder), { recursive, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));

/** Every document of the repository. */
export const documents: readonly Document[] = [
  ...markdownIn(".", false),
  ...markdownIn("docs", true),
  ...markdownIn("zoo", false),
  ...markdownIn("samples", false),
].map((path) => parseDocument(path, readFileSync(join(ROOT, path), "utf8")));

/** The documentation comments of every source file. */
export const docstrings: readonly Document[] = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("src", name))
  .map((path) => parseDocument(path, commentsOf(readFileSync(join(ROOT, path), "utf8"))));

export const blocksOf = (...languages: readonly string[]): readonly Block[] =>
  [...documents, ...docstrings].flatMap((d) => d.blocks).filter((b) => languages.includes(b.language));

/** The texts of documentation comments, each line where it was; the code between them is left out. */
export function commentsOf(source: string): string {
  const text = source.replaceAll(
    /(\/\*\*[\s\S]*?\*\/)|[^\n/]+|\/[^\n/]*/g,
    (_, comment: string | undefined) => comment ?? "",
  );
  return text.replaceAll(/^\s*(?:\/\*\*|\*\/|\*) ?/gm, "").replaceAll(/ ?\*\/$/gm, "");
}

export function parseDocument(path: string, text: string): Document {
  const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
  const blocks = [...text.matchAll(FENCE)].map((m) => ({
    at: `${path}:${lineOf(m.index)}`,
    document: path,
    language: m[1],
    text: m[2],
  }));
  const prose = text.replaceAll(FENCE, blank).replaceAll(/`[^`\n]*`/g, (code) => "x".repeat(code.length));
  const links = [...prose.matchAll(LINK)].map((m) => ({ at: `${path}:${lineOf(m.index)}`, target: m[1] }));
  return { path, text, blocks, links, anchors: anchorsOf(text.replaceAll(FENCE, blank)) };
}

/** Headings as GitHub names them; the second of equal ones gets "-1". */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-");
    let [name, count] = [slug, 0];
    while (anchors.has(name)) name = `${slug}-${++count}`;
    anchors.add(name);
  }
  return anchors;
}
