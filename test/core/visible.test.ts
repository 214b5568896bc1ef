/** @file Text from outside, made safe for a terminal. */
import { describe, expect, test } from "vitest";
import { visible, visibleLine, visibleWithColours } from "../../src/core/visible.js";

const [ESC, CSI, DEL, RLO] = ["\u001b", "\u009b", "\u007f", "\u202e"];

describe("text for a terminal", () => {
  test.each([
    ["a title", `${ESC}]0;owned\u0007`, "\\u001b]0;owned\\u0007"],
    ["a cursor movement", `${CSI}2J`, "\\u009b2J"],
    ["a carriage return that overwrites the line", "bad\rgood", "bad\\u000dgood"],
    ["deleted and turned text", `a${DEL}${RLO}b`, "a\\u007f\\u202eb"],
    ["plain words of any language", "größe 猫 👍🏽", "größe 猫 👍🏽"],
  ])("shows %s", (_, text, expected) => {
    expect(visible(text)).toBe(expected);
    expect(visibleLine(text)).toBe(expected);
  });

  test("keeps lines, and a name within a line makes no new one", () => {
    expect([visible("a\n\tb"), visibleLine("a\n\tb")]).toEqual(["a\n\tb", "a\\u000a\\u0009b"]);
  });

  test("keeps our colours and nothing else that begins like them", () => {
    const text = `${ESC}[1mhead${ESC}[22m ${ESC}[2J ${ESC}[1;31m`;
    expect(visibleWithColours(text)).toBe(`${ESC}[1mhead${ESC}[22m \\u001b[2J \\u001b[1;31m`);
  });

  test("leaves the value of printed JSON as it was", () => {
    const value = { name: `${ESC}${CSI}${DEL}${RLO}\u2028\n` };
    expect(JSON.parse(visible(JSON.stringify(value)))).toEqual(value);
  });
});
