/** @file Turns off the telemetry of ONNX Runtime, which its builds for Linux and macOS contain.
 *  The telemetry stores a device id and a database of events in the user's cache folder, and sends
 *  events to a host of its maker.
 *  ort.ts imports this file first. docs/security.md says how this was observed. */
import { isMainThread } from "node:worker_threads";
import { DynnError } from "../../core/errors.js";

/** ONNX Runtime reads this variable once, when a process opens its first session. The Node binding
 * lacks a call for it. */
const SWITCH = "ORT_DISABLE_TELEMETRY";

/** Whether the variable says clearly what the user wants. ONNX Runtime takes any other word for
 * "leave it on". */
const isSaid = (): boolean => /^(1|true|yes|on|0|false|no|off)$/i.test(process.env[SWITCH] ?? "");

// A worker thread's process.env is a copy that native code does not see, so only the main thread
// can set the variable.
if (isMainThread && !isSaid()) process.env[SWITCH] = "1";

/** Check that ONNX Runtime reports nothing that the user did not allow. The builds for Windows do
 * not read the variable.
 * @throws DynnError 'runtime/telemetry' in a worker thread when the process has not set the
 *   variable */
export function checkTelemetry(): void {
  if (isMainThread || process.platform === "win32" || isSaid()) return;
  throw new DynnError(
    "runtime/telemetry",
    `${SWITCH}: is not set, and a worker thread cannot set it: ONNX Runtime would report its use to its maker. Import dynn in the main thread before it starts the worker, or set ${SWITCH}=1 for the process (0 lets it report).`,
    { variable: SWITCH },
  );
}
