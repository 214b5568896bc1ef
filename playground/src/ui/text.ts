/** @file Numbers as people read them. */

/** 0.1234 as "12 %". Small shares keep a digit. */
export const percent = (share: number): string => {
  const value = 100 * share;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)} %`;
};

/** 12345678 as "12.3 M". */
export const count = (value: number): string => {
  for (const [size, unit] of [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (value >= size) return `${(value / size).toFixed(value >= 99.95 * size ? 0 : 1)} ${unit}`;
  return String(Math.round(value));
};

/** Milliseconds with two or three digits. */
export const milliseconds = (ms: number): string => (ms < 10 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(0)} ms`);

/** A distance of pixels in steps of 8 bits: "2.0/255". */
export const steps = (distance: number): string => `${(255 * distance).toFixed(2)}/255`;

/** "cat" as "a cat". */
export const article = (name: string): string => `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`;

/** 0.1234 as "12.3 %". */
export const rate = (share: number): string => `${(100 * share).toFixed(1)} %`;
