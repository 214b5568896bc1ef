/** @file The onnxruntime-web backend: WebAssembly or WebGPU in a browser, WebAssembly in Node.js.
 *  The package is optional: install onnxruntime-web beside dynn. */
import { DynnError, reasonOf } from "../../core/errors.js";
import type { Backend } from "../../runtime/backend.js";
import { lowerKernelGradients } from "../../runtime/kernel-gradients.js";
import { openable, openSession } from "../../runtime/onnxruntime.js";

/** How ONNX Runtime for the web runs graphs. */
export interface OrtWebOptions {
  /** The execution provider. Default: wasm. */
  readonly provider?: "wasm" | "webgpu";
  /** Threads of WebAssembly, set by the first session. More than 1 needs a cross-origin isolated
   * page. Default: 1. */
  readonly threads?: number;
}

/** A backend that runs graphs with ONNX Runtime for the web.
 * @returns a backend whose `compile` throws DynnError 'runtime/provider' when onnxruntime-web is
 *   not installed, 'runtime/load' */
export function ortWeb({ provider = "wasm", threads = 1 }: OrtWebOptions = {}): Backend {
  return {
    name: `ort-web/${provider}`,
    routes: provider === "wasm",
    compile: async (graph) => {
      const ort = await load(provider);
      ort.env.wasm.numThreads = threads;
      return openSession(
        ort,
        { graph, run: lowerKernelGradients(openable(graph)) },
        { executionProviders: [provider] },
      );
    },
  };
}

/** A page that computes on WebAssembly loads 14 MB. The build with WebGPU has 27 MB. */
const load = (provider: "wasm" | "webgpu") =>
  (provider === "wasm" ? import("onnxruntime-web/wasm") : import("onnxruntime-web/webgpu")).catch((cause: unknown) => {
    throw new DynnError(
      "runtime/provider",
      `onnxruntime-web: cannot be loaded (${reasonOf(cause)}). Install it: npm install onnxruntime-web.`,
      {},
      { cause },
    );
  });
