/** @file --threads and --provider: what a command computes on. */

import { ortNode, PROVIDERS, type Provider } from "../../node/ort-node/index.js";
import type { Backend } from "../../runtime/backend.js";
import { oneOf, whole } from "./options.js";

export interface BackendFlags {
  readonly threads?: number;
  readonly provider: Provider;
}

export const THREADS = ["--threads <n>", "threads of the engine (default: one per core)", whole(1, 2)] as const;
export const PROVIDER = ["--provider <name>", `where to compute: ${PROVIDERS.join(", ")}`, oneOf(PROVIDERS)] as const;

/** The engine; compiling throws DynnError 'runtime/provider' when the machine has not what the provider needs. */
export const backendOf = ({ threads, provider }: BackendFlags): Backend =>
  ortNode({ provider, ...(threads === undefined ? {} : { threads }) });
