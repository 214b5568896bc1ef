/** @file The one place that loads onnxruntime-node. Its telemetry is turned off before: imports run in the order in which they stand. */
import "./telemetry.js";
import * as ort from "onnxruntime-node";

export { ort };
