/** @file The comments of a source file, and the sentences in them. */

/** One comment: a block, neighbouring line comments, or what follows code on its line. */
interface Comment {
  /** The line of the file, from 1, on which the comment starts. */
  readonly line: number;
  /** The whole lines of the file. */
  readonly lines: readonly string[];
  /** The text of each line, without the marks of the comment. */
  readonly texts: readonly string[];
}

export interface Sentence {
  readonly line: number;
  readonly words: number;
  readonly text: string;
}

const BLOCK = String.raw`^[ \t]*\/\*[\s\S]*?\*\/`;
const LINES = String.raw`^[ \t]*\/\/ .*(?:\n[ \t]*\/\/ .*)*`;
const AFTER_CODE = String.raw`^.*\S[ \t]+(?:\/\/ .*|\/\*\* .*\*\/)$`;
const COMMENT = new RegExp([BLOCK, LINES, AFTER_CODE].join("|"), "gm");

/** The text of a line of a comment, without code before it and without its marks. */
const textOf = (line: string): string =>
  line
    .replace(/^.*?(?:^|[ \t])(?:\/\*+|\/\/)(?= |$)|^\s*\*(?!\/)/, "")
    .replace(/\s*\*\/\s*$/, "")
    .trim();

export const commentsIn = (source: string): Comment[] =>
  [...source.matchAll(COMMENT)].map(({ 0: text, index }) => {
    const lines = text.split("\n");
    return { line: source.slice(0, index).split("\n").length, lines, texts: lines.map(textOf) };
  });

/** Where a new sentence begins although none ended: a tag, an item of a list. */
const BEGINS = /^(?:@|- |\* |\d+\. )/;
/** Ends a sentence. Abbreviations, ellipses, and points inside numbers and names do not. */
const END = /(?<!\b(?:e\.g|i\.e|al|cf|vs)|\.\.)[.!?](?:["')\]]*)(?=\s|$)/;

/** The sentences of all comments. Examples are left out: they are code. */
export const sentencesOf = (source: string): Sentence[] => commentsIn(source).flatMap(sentencesIn);

function sentencesIn({ line, texts }: Comment): Sentence[] {
  const found: Sentence[] = [];
  let open: string[] = [];
  let from = line;
  const close = (): void => {
    const text = open.join(" ");
    found.push({ line: from, words: countWords(text), text });
    open = [];
  };
  for (const [i, text] of prose(texts).entries()) {
    if (open.length > 0 && (text === "" || BEGINS.test(text))) close();
    for (const part of text.split(new RegExp(`(?<=${END.source})\\s+`))) {
      if (open.length === 0) from = line + i;
      if (part !== "") open.push(part);
      if (END.test(part)) close();
    }
  }
  if (open.length > 0) close();
  return found.filter(({ text }) => !/^(?:Sources?|Spec|Read by):/.test(text));
}

/** The lines with blank ones in place of code: fenced blocks, and what follows the tag `@example`. */
function prose(texts: readonly string[]): string[] {
  let [fenced, example] = [false, false];
  return texts.map((text) => {
    const fence = text.startsWith("```");
    if (fence) fenced = !fenced;
    if (text.startsWith("@")) example = text.startsWith("@example");
    return fence || fenced || example ? "" : text;
  });
}

/** Words of a sentence. Spans of code count as one word, sources in parentheses and tags as none. */
const countWords = (text: string): number =>
  text
    .replaceAll(/`[^`]*`|\{@link [^}]*\}/g, "code")
    .replaceAll(/\([^()]*(?:\b(?:19|20)\d\d\b|decision \d|https?:)[^()]*\)/g, "")
    .replace(/^@(?:param \S+|throws DynnError|\w+)/, "")
    .split(/\s+/)
    .filter((word) => /\w/.test(word)).length;
