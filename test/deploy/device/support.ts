/** @file Bundles of small networks on disk, and servers of them that are closed when a test file ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach } from "vitest";
import { type Bundle, openBundle } from "../../../src/deploy/bundle.js";
import type { PlacedAnswer } from "../../../src/deploy/device/device.js";
import { exportSplit, exportStaged } from "../../../src/deploy/export.js";
import { createServer, type Server, type ServerOptions } from "../../../src/deploy/serve/server.js";
import type { DynamicModel } from "../../../src/dynamic/model.js";
import type { Policy } from "../../../src/dynamic/policy.js";
import { type Routed, route } from "../../../src/dynamic/route.js";
import { ortNode } from "../../../src/runtime/ort-node/index.js";
import { images, logitsOf, medianPolicy, type NetworkOptions, randomModel } from "../support.js";

export const backend = ortNode({ threads: 1 });
export const pixels = images(24);

export const folder = mkdtempSync(join(tmpdir(), "dynn-serve-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export interface Split {
  readonly model: DynamicModel;
  readonly policy: Policy;
  readonly bundle: Bundle;
  /** What the whole model answers on {@link pixels}. */
  readonly routed: readonly Routed[];
}

let made = 0;

/** A network cut in two, of which the device is sure about some of {@link pixels}. */
export async function makeSplit(
  rule: Omit<Policy, "thresholds"> = { rule: "max-softmax", fallback: "final" },
  network: Partial<NetworkOptions> = {},
  kind: "split" | "staged" = "split",
): Promise<Split> {
  const model = randomModel({ kind: "branches", exits: 4, classes: 4, seed: 3, ...network });
  const policy = await medianPolicy(model, rule, pixels);
  const out = join(folder, `bundle${made++}`);
  const options = { backend, policy, images: pixels };
  if (kind === "split") await exportSplit(model, out, { ...options, at: 1 });
  else await exportStaged(model, out, options);
  const routed = route(await logitsOf(model, pixels), model.classes, policy);
  return { model, policy, bundle: await openBundle(out), routed };
}

const open: Server[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

export interface Started {
  readonly url: string;
  readonly server: Server;
}

/** A server on a port of its own; closed after the test. */
export async function start(bundle: Bundle, options: Partial<ServerOptions> = {}): Promise<Started> {
  const server = await createServer(bundle, { backend, ...options });
  open.push(server);
  return { server, url: await server.listen({ host: "127.0.0.1", port: 0 }) };
}

/** Something else that speaks HTTP; closed after the test. */
export async function startOther(listener: RequestListener): Promise<string> {
  const server = createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    listen: async () => "",
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What routing decides. */
export const said = (answers: readonly Routed[]) => answers.map(({ stop, answer, label }) => ({ stop, answer, label }));
export const places = (answers: readonly PlacedAnswer[]) => answers.map(({ place }) => place);

/** A busy machine is no outage. */
export const patient = { deadlineMs: 60_000 };
/** No second try. */
export const alone = { ...patient, retries: 0, restMs: 0 };
