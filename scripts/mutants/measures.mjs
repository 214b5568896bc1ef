/** @file Mutants of the measures. */
export const MEASURES = [];
