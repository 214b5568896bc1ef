/** @file What the tests of the server share: a sample request, raw connections that need keep to no rule, and an engine that waits. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Bundle } from "../../../src/deploy/bundle.js";
import { createDevice } from "../../../src/deploy/device/device.js";
import type { Remote } from "../../../src/deploy/device/remote.js";
import type { Routed } from "../../../src/dynamic/route/route.js";
import type { Backend, Session } from "../../../src/runtime/backend.js";
import { backend, pixels, type Split } from "../../deploy/device/support.js";

export interface Sample {
  readonly request: Uint8Array<ArrayBuffer>;
  readonly answers: readonly Routed[];
}

/** The request that a device would send for what it is not sure of, and the answers to it. */
export async function sampleOf({
  bundle,
  routed,
}: Pick<Split, "routed"> & { readonly bundle: Bundle }): Promise<Sample> {
  const sent: Uint8Array<ArrayBuffer>[] = [];
  const remote: Remote = {
    classify: async (request, { samples }) => {
      sent.push(request);
      return { answers: routed.slice(0, samples), ms: 0 };
    },
  };
  const device = await createDevice(bundle, { backend, remote, batch: 24 });
  await device.classify(pixels);
  await device.release();
  return { request: sent[0], answers: routed.filter(({ stop }) => stop > 1) };
}

/** An engine that waits until it is let go; says when it is reached. */
export function held(): { readonly slow: Backend; readonly reached: Promise<void>; readonly release: () => void } {
  let [release, arrive] = [() => {}, () => {}];
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const slow: Backend = {
    name: "slow",
    compile: async (graph) => {
      const session: Session = await backend.compile(graph);
      const run: Session["run"] = async (feeds) => {
        arrive();
        await gate;
        return session.run(feeds);
      };
      return { inputs: session.inputs, outputs: session.outputs, run, release: session.release };
    },
  };
  return { slow, reached, release };
}

export const post = (url: string, body: BodyInit | null, headers: Record<string, string> = {}) =>
  fetch(`${url}/classify`, {
    method: "POST",
    body,
    headers: { "content-type": "application/octet-stream", ...headers },
  });

export const problem = async (response: Response) => ({
  status: response.status,
  ...((await response.json()) as object),
});

/** A connection without a client's manners; closed after the test.
 * @param from this machine's own address that it comes from */
export async function connect(url: string, from = "127.0.0.1"): Promise<Socket> {
  const { port, hostname } = new URL(url);
  const socket = createConnection({ port: Number(port), host: hostname, localAddress: from });
  // What is refused may be reset while it is being written.
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** All that a connection says until it ends, or is reset. */
export async function heard(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

/** The head of a POST, and as much of its body as is given. */
export function head(length: number, headers: Readonly<Record<string, string>> = {}): string {
  const lines = { host: "x", "content-type": "application/octet-stream", "content-length": String(length), ...headers };
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /classify HTTP/1.1\r\n${text.join("")}\r\n`;
}

/** Status and code of every answer in what a connection said. */
export const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
