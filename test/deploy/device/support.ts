/** @file Bundles of small networks on disk, removed when a test file ends, and servers of them, closed when a test ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";
import type { Bundle } from "../../../src/deploy/bundle.js";
import type { PlacedAnswer } from "../../../src/deploy/device/device.js";
import type { DynamicModel } from "../../../src/dynamic/model/model.js";
import { type Routed, route } from "../../../src/dynamic/route/route.js";
import { openBundle } from "../../../src/node/deploy/bundle.js";
import { exportSplit, exportStaged } from "../../../src/node/deploy/export.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { createServer, type Server, type ServerOptions } from "../../../src/node/serve/server.js";
import type { Policy } from "../../../src/schema/policy.js";
import { images, logitsOf, medianPolicy, type NetworkOptions, randomModel } from "../support.js";

export const backend = ortNode({ threads: 1 });
export const pixels = images(24);

export interface Split {
  readonly model: DynamicModel;
  readonly policy: Policy;
  readonly bundle: Bundle;
  /** What the whole model answers on {@link pixels}. */
  readonly routed: readonly Routed[];
}

export type MakeSplit = (
  rule?: Omit<Policy, "thresholds">,
  network?: Partial<NetworkOptions>,
  kind?: "split" | "staged",
) => Promise<Split>;

/** What makes networks cut in two, of which the device is sure about some of {@link pixels}. Fast test files share this module, so each
 *  has a folder of its own. */
export function splitMaker(): MakeSplit {
  const folder = mkdtempSync(join(tmpdir(), "dynn-serve-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let made = 0;
  return async (rule = { rule: "max-softmax", fallback: "final" }, network = {}, kind = "split") => {
    const model = randomModel({ kind: "branches", exits: 4, classes: 4, seed: 3, ...network });
    const policy = await medianPolicy(model, rule, pixels);
    const out = join(folder, `bundle${made++}`);
    const options = { backend, policy, images: pixels };
    if (kind === "split") await exportSplit(model, out, { ...options, at: 1 });
    else await exportStaged(model, out, options);
    const routed = route(await logitsOf(model, pixels), policy);
    return { model, policy, bundle: await openBundle(out), routed };
  };
}

export interface Started {
  readonly url: string;
  readonly server: Server;
}

/** A server on a port of its own; closed after the test. */
export async function start(bundle: Bundle, options: Partial<ServerOptions> = {}): Promise<Started> {
  const server = await createServer(bundle, { backend, ...options });
  onTestFinished(() => server.close());
  return { server, url: await server.listen({ host: "127.0.0.1", port: 0 }) };
}

/** Something else that speaks HTTP; closed after the test. */
export async function startOther(listener: RequestListener): Promise<string> {
  const server = createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What routing decides. */
export const said = (answers: readonly Routed[]) => answers.map(({ stop, answer, label }) => ({ stop, answer, label }));
export const places = (answers: readonly PlacedAnswer[]) => answers.map(({ place }) => place);

/** A busy machine is no outage. */
export const patient = { deadlineMs: 60_000 };
/** No second try. */
export const alone = { ...patient, retries: 0, restMs: 0 };
