/** @file From --threads and --provider to what a command computes on. */
import { ortNode } from "../../node/ort-node/index.js";
import type { Backend } from "../../runtime/backend.js";
import type { CommonFlags } from "./common-options.js";

export type BackendFlags = CommonFlags<"provider", "threads">;

/** The engine; compiling throws DynnError 'runtime/provider' when the machine has not what the provider needs. */
export const backendOf = ({ threads, provider }: BackendFlags): Backend =>
  ortNode({ provider, ...(threads === undefined ? {} : { threads }) });
