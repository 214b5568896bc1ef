/** @file The claim engine: from tables of blocks to verdicts. It reads no files. */
export { judgeClaims } from "./judge.js";
export { protocolClaims } from "./protocol.js";
export type { BlockTable, ClaimData } from "./table.js";
