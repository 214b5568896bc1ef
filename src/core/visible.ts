/** @file Text from outside made safe for a terminal: names of classes, answers of servers. */

/** The characters that a terminal obeys or does not show, without tab and newline: controls, line
 * separators, and those that turn the direction of text. Source: Unicode 16. */
const CONTROLS = /(?![\t\n])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** The colour codes of `picocolors`. */
const COLOUR = new RegExp(`(${String.fromCharCode(27)}\\[\\d{1,3}m)`);

/** As JSON writes it, so that JSON that is printed stays the same value. */
const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Text with its control characters escaped. Tabs and newlines stay. */
export const visible = (text: string): string => text.replace(CONTROLS, escaped);

/** A name within a line: tabs and newlines are escaped, too. */
export const visibleLine = (text: string): string => visible(text).replace(/[\t\n]/g, escaped);

/** {@link visible} for text that may hold colours of our own. */
export const visibleWithColours = (text: string): string =>
  text
    .split(COLOUR)
    .map((part, i) => (i % 2 === 1 ? part : visible(part)))
    .join("");
