/** @file The engine that the options --threads and --provider choose. */
import { ortNode } from "../../node/ort-node/index.js";
import type { Backend } from "../../runtime/backend.js";
import type { CommonFlags } from "./common-options.js";

export type BackendFlags = CommonFlags<"provider", "threads">;

/** The engine. Compiling throws DynnError 'runtime/provider' when this machine cannot run the
 * provider. */
export const backendOf = ({ threads, provider }: BackendFlags): Backend =>
  ortNode({ provider, ...(threads === undefined ? {} : { threads }) });
