/** @file The entry `dynn/web`: all of `dynn`, and what a page needs. No module behind it needs Node.js. */

export * from "../index.js";
export { type LoadOptions, load } from "./load.js";
export { type OrtWebOptions, ortWeb } from "./ort-web/index.js";
