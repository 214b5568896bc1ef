/** @file x */
export const DYNAMIC = [];
