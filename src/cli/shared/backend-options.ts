/** @file The options --threads and --provider: the engine of a command. */

import { ortNode, PROVIDERS, type Provider } from "../../node/ort-node/index.js";
import type { Backend } from "../../runtime/backend.js";
import { oneOf, whole } from "./options.js";

export interface BackendFlags {
  readonly threads?: number;
  readonly provider: Provider;
}

export const THREADS = ["--threads <n>", "threads of the engine (default: one per core)", whole(1, 2)] as const;
export const PROVIDER = ["--provider <name>", `where to compute: ${PROVIDERS.join(", ")}`, oneOf(PROVIDERS)] as const;

/** The engine. Compiling throws DynnError 'runtime/provider' when this machine cannot run the
 * provider. */
export const backendOf = ({ threads, provider }: BackendFlags): Backend =>
  ortNode({ provider, ...(threads === undefined ? {} : { threads }) });
