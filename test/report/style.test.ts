/** @file Colours of text are legible on every ground of a page, by the rule AA of WCAG 2.2 (a contrast of 4.5). */
import { expect, test } from "vitest";
import { DARK, LIGHT } from "../../src/report/shared/style.js";

const channel = (hex: string): number => {
  const value = Number.parseInt(hex, 16) / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
};
const whole = (colour: string): string => (colour.length === 4 ? colour.replaceAll(/[^#]/g, "$&$&") : colour);

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [, r, g, b] = /^#(..)(..)(..)$/.exec(whole(colour)) ?? [];
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const SCHEMES = { light: LIGHT, dark: { ...LIGHT, ...DARK } } as const;
const TEXT = ["ink", "soft", "accent", "wrong", "good", "clean"];
const GROUNDS = ["paper", "panel", "tint"];

test("the formula gives the known ends", () => {
  expect(contrast("#000", "#fff")).toBeCloseTo(21, 9);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});

test.each(Object.entries(SCHEMES))("text is legible in the %s scheme", (_, colours) => {
  for (const text of TEXT)
    for (const ground of GROUNDS)
      expect([text, ground, contrast(colours[text], colours[ground]) >= 4.5]).toEqual([text, ground, true]);
});

test.each(Object.entries(SCHEMES))("lines of plots stand out from the page in the %s scheme", (_, colours) => {
  for (const series of [1, 2, 3, 4, 5])
    expect(contrast(colours[`series-${series}`], colours.paper)).toBeGreaterThanOrEqual(3);
});
