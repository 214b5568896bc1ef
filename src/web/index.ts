/** @file The entry `dynn/web`: all of `dynn`, and the parts that a web page needs. None of its
 *  modules needs Node.js. */

export * from "../index.js";
export { type LoadOptions, load } from "./load.js";
export { type OrtWebOptions, ortWeb } from "./ort-web/index.js";
