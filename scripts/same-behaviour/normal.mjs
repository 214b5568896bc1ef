/** @file What of a file is compared: everything but times, versions and facts about the machine, which are listed here. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** Old name -> new name, where a refactoring renames on purpose. Old and new builds are both written with the new names. */
const RENAMED = {
  "early:proper": "early:margin",
  "early:paper": "early:published",
  "early-paper": "early-published",
};

/** JSON files by the end of their path, and what is taken out of them. `[]` stands for each item.
 *  The first entry that fits holds. JSON files of no entry are compared whole. */
const STRIPPED = [
  { file: /audit\.json$/, paths: ["tool/version", "made", "seconds", "attacks/[]/seconds"] },
  // The fingerprint is a digest of all that decides an attack, the version among it.
  { file: /kept\/[^/]+\.json$/, paths: ["fingerprint", "seconds"] },
  { file: /calibration\.json$/, paths: ["tool/version", "seconds"] },
  { file: /profile\.json$/, paths: ["tool/version", "machine", "seconds", ...profileTimes()] },
  { file: /answers\.json$/, paths: ["runs/[]/latencyMs", "runs/[]/answers/[]/ms"] },
  { file: /manifest\.json$/, paths: ["dynn"] },
  { file: /card\.json$/, paths: ["tool/version"] },
  { file: /metrics\.jsonl$/, paths: ["imagesPerSecond", "seconds"] },
  {
    file: /checkpoint\.safetensors\.header\.json$/,
    paths: ["imagesPerSecond", "seconds"].map((time) => `__metadata__/dynn.state/epochs/[]/${time}`),
  },
  { file: /\.onnx\.metadata\.json$/, paths: ["dynn.card/tool/version"] },
];

/** Times of a profile, and what is made of them. */
function profileTimes() {
  const times = ["msPerImage", "latencyMs", "speedUp", "overhead", "realSaving", "baselineSpeedUp"];
  const networks = ["static", "baseline", "points/[]"];
  return networks.flatMap((network) => times.map((time) => `${network}/timings/[]/${time}`));
}

/** Files that hold wording, which a refactoring may improve: the records beside them hold the numbers. */
export const LEFT_OUT = /\.html$/;

/** The artefacts that a file is compared by.
 * @param name CASE/FILE
 * @param bytes what the file holds
 * @param built the build under test
 * @returns [name, Buffer] pairs */
export function artefactsOf(name, bytes, built) {
  if (name.endsWith(".onnx")) return onnxArtefacts(name, bytes, built);
  if (name.endsWith(".safetensors")) return safetensorsArtefacts(name, bytes);
  if (name.endsWith(".jsonl"))
    return [
      [
        name,
        text(
          bytes
            .toString()
            .trim()
            .split("\n")
            .map((l) => json(name, JSON.parse(l)))
            .join(""),
        ),
      ],
    ];
  if (name.endsWith(".json")) return [[name, text(json(name, JSON.parse(bytes.toString())))]];
  if (name.endsWith(".txt")) return [[name, text(bytes.toString())]];
  return [[name, bytes]];
}

/** A graph that ONNX Runtime opened, with the options of its session. */
export const sessionArtefact = (name, bytes, options, built) => [
  name,
  text(`options ${JSON.stringify(options)}\n${printed(bytes, built)}`),
];

const text = (raw) => Buffer.from(Object.entries(RENAMED).reduce((t, [old, now]) => t.replaceAll(old, now), raw));

/** JSON without what is taken out of the file of this name. */
function json(name, value) {
  const { paths = [] } = STRIPPED.find(({ file }) => file.test(name)) ?? {};
  for (const path of paths) strip(value, path.split("/"));
  return `${JSON.stringify(value, undefined, 1)}\n`;
}

function strip(value, [key, ...rest]) {
  if (typeof value !== "object" || value === null) return;
  if (key === "[]") for (const item of value) strip(item, rest);
  else if (rest.length === 0) delete value[key];
  else strip(value[key], rest);
}

/** A delivered model: its bytes without metadata and producer's version, its metadata, and its graph as text for the eye. */
function onnxArtefacts(name, bytes, built) {
  const { metadata } = built.readModel(bytes, { name });
  return [
    [name, withoutFields(bytes, [PRODUCER_VERSION, METADATA])],
    [`${name}.metadata.json`, text(json(`${name}.metadata.json`, Object.fromEntries([...metadata].map(parsed))))],
    [`${name}.graph.txt`, text(printed(bytes, built))],
  ];
}

const parsed = ([key, value]) => {
  try {
    return [key, JSON.parse(value)];
  } catch {
    return [key, value];
  }
};

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/** The graph as dynn prints it, a digest of each initializer's data, and a digest of the model's bytes. */
function printed(bytes, built) {
  const digest = `bytes ${sha256(withoutFields(bytes, [PRODUCER_VERSION, METADATA]))}\n`;
  try {
    return `${graphText(bytes, built)}${digest}`;
  } catch {
    // dynn reads fewer models than it writes. The digest still tells them apart.
    return `a graph that dynn does not read\n${digest}`;
  }
}

/** A training step has an output for each parameter, more than a model file may have. */
const LIMITS = { outputs: 1e5 };

function graphText(bytes, { readModel, printGraph }) {
  const { graph } = readModel(bytes, { name: "model", limits: LIMITS });
  const data = [...graph.initializers].map(
    ([name, { data: d }]) => `${name} ${sha256(new Uint8Array(d.buffer, d.byteOffset, d.byteLength))}`,
  );
  return `${printGraph(graph)}data\n${data.join("\n")}\n`;
}

/** Numbers of fields in onnx.proto's ModelProto. */
const [PRODUCER_VERSION, METADATA] = [3, 14];

/** A protobuf message without some of its outermost fields. https://protobuf.dev/programming-guides/encoding/ */
function withoutFields(bytes, fields) {
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const [tag, afterTag] = varint(bytes, at);
    at = skip(bytes, tag & 7, afterTag);
    if (!fields.includes(tag >> 3)) parts.push(bytes.subarray(start, at));
  }
  return Buffer.concat(parts);
}

function skip(bytes, wire, at) {
  if (wire === 1) return at + 8;
  if (wire === 5) return at + 4;
  const [value, after] = varint(bytes, at);
  return wire === 2 ? after + value : after;
}

function varint(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

/** A checkpoint: its tensors as they are, and its header as JSON. https://huggingface.co/docs/safetensors */
function safetensorsArtefacts(name, bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  header.__metadata__ = Object.fromEntries(Object.entries(header.__metadata__ ?? {}).map(parsed));
  return [
    [name, bytes.subarray(8 + length)],
    [`${name}.header.json`, text(json(`${name}.header.json`, header))],
  ];
}
