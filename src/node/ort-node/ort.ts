/** @file The only file that loads onnxruntime-node. Imports run in their order, so telemetry is off
 *  before onnxruntime-node loads. */
import "./telemetry.js";
import * as ort from "onnxruntime-node";

export { ort };
