/** @file Regenerates src/onnx/generated/onnx_pb.ts from the official onnx.proto, with buf and protoc-gen-es (dev dependencies).
 *  The proto file is named by its SHA-256, so the same command gives the same bytes anywhere.
 *  Moving to a newer ONNX: change PROTO, run, read the difference. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const PROTO = {
  version: "1.23.0 (development head)",
  sha256: "9fa5aa32d49d358a1cc8f661af67d9e674e246aa95fcaa5d2f552baf44be875b",
  source: "the file onnx/onnx.proto of the repository onnx/onnx on GitHub",
};
const USAGE = `usage: node scripts/generate-onnx.mjs path/to/onnx.proto

Writes src/onnx/generated/onnx_pb.ts from onnx.proto of ONNX ${PROTO.version}.
Where to get it: ${PROTO.source}.
Its SHA-256 must be ${PROTO.sha256}.`;

const root = resolve(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
const inPackage = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file);

function readProto(path) {
  const text = readFileSync(path);
  const got = createHash("sha256").update(text).digest("hex");
  if (got === PROTO.sha256) return text;
  throw new Error(
    `${path}: its SHA-256 is ${got}, expected ${PROTO.sha256} (ONNX ${PROTO.version}). Get ${PROTO.source}; for a newer ONNX change PROTO in this script.`,
  );
}

/** Run buf on a folder that holds nothing but the proto file; returns the generated code. */
function generate(proto) {
  const folder = mkdtempSync(join(tmpdir(), "dynn-onnx-"));
  try {
    const plugin = {
      local: ["node", inPackage("@bufbuild/protoc-gen-es", "bin/protoc-gen-es")],
      out: "out",
      opt: ["target=ts", "import_extension=js"],
    };
    writeFileSync(join(folder, "onnx.proto"), proto);
    writeFileSync(join(folder, "buf.yaml"), "version: v2\n");
    writeFileSync(join(folder, "buf.gen.yaml"), JSON.stringify({ version: "v2", plugins: [plugin] }));
    execFileSync("node", [inPackage("@bufbuild/buf", "bin/buf"), "generate"], {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit"],
    });
    return readFileSync(join(folder, "out/onnx_pb.ts"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [path] = process.argv.slice(2);
if (!path || path.startsWith("-")) {
  console.log(USAGE);
  process.exitCode = path === "--help" ? 0 : 2;
} else {
  const target = join(root, "src/onnx/generated/onnx_pb.ts");
  writeFileSync(target, generate(readProto(path)));
  console.log(`wrote ${target}`);
}
