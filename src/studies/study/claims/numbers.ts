/** @file Numbers in the sentences of verdicts. */

/** Three significant digits. */
export const number = (value: number): string => String(Number(value.toPrecision(3)));

export const range = ([low, high]: readonly [number, number]): string => `${number(low)} to ${number(high)}`;

export const percent = (value: number): string => `${Math.round(100 * value)} %`;
