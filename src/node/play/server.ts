/** @file The server of the playground: the built page on this machine alone, isolated from other
 *  origins, with the user's network and images beside it. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DynnError, reasonOf } from "../../core/errors.js";
import { bytesOf, filesIn, pageFolder, typeOf } from "./files.js";
import { type OwnRequest, openOwn } from "./own.js";
import { PAGE_POLICY } from "./policy.js";

/** A running server of the page. */
export interface PlayServer {
  /** What is served, for people. */
  readonly about: string;
  /** Begin to listen on 127.0.0.1.
   * @param port 0 takes any free port
   * @returns the address of the page
   * @throws DynnError 'serve/listen' */
  readonly listen: (port: number) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** A worker takes its policy from its own response, so every file has it. No page may frame this
 * one. */
const POLICY = [...PAGE_POLICY, "frame-ancestors 'none'"].join("; ");

/** With the first three, a page may have threads and fine clocks. */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
} as const;

const HOST = "127.0.0.1";
/** A page of another origin can make a browser ask here under a name of its own. Its name is then
 * in the header. */
const OWN_NAME = /^(127\.0\.0\.1|localhost)(:\d+)?$/;

/** Make the server of the playground.
 * @param folder of the built page
 * @throws DynnError 'file/missing' when the page is not built, and the errors of opening the
 *   network and the images
 * @example
 * const server = await createPlayServer({ model: "model.onnx", data: "folder:photos" });
 * console.log(await server.listen(0)); */
export async function createPlayServer(request: OwnRequest = {}, folder = pageFolder()): Promise<PlayServer> {
  const files = filesIn(folder);
  const own = await openOwn(request);
  const { default: fastify } = await import("fastify");
  const app = fastify({ forceCloseConnections: true });
  app.get("/*", async (asked, reply) => answer({ files, own: own.files }, asked, reply));
  return { about: own.about, listen: (port) => listen(app, port), close: () => app.close() };
}

interface Served {
  readonly files: ReadonlyMap<string, string>;
  readonly own: ReadonlyMap<string, Uint8Array>;
}

async function answer(
  { files, own }: Served,
  { raw, headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<Uint8Array | string> {
  reply.headers(HEADERS);
  if (!OWN_NAME.test(headers.host ?? "")) return refuse(reply, 403, "this server answers to this machine alone");
  const asked = new URL(raw.url ?? "/", "http://page").pathname;
  const path = asked === "/" ? "/index.html" : asked;
  const bytes = own.get(path) ?? (await bytesOf(files, path));
  if (bytes === undefined) return refuse(reply, 404, "there is no such file");
  reply.type(typeOf(path));
  return path === "/index.html" && own.size > 0 ? withOwn(new TextDecoder().decode(bytes)) : Buffer.from(bytes);
}

function refuse(reply: FastifyReply, status: number, text: string): string {
  reply.code(status).type("text/plain; charset=utf-8");
  return text;
}

/** Tells the page where the description of the user's files is. */
const withOwn = (page: string): string => page.replace(/(<meta name="dynn-own" content=")"/, '$1own.json"');

async function listen(app: FastifyInstance, port: number): Promise<string> {
  try {
    await app.listen({ host: HOST, port });
  } catch (cause) {
    throw new DynnError(
      "serve/listen",
      `${HOST}:${port}: the page cannot be served there (${reasonOf(cause)}). Choose another port.`,
      { host: HOST, port, options: ["port"] },
      { cause },
    );
  }
  return `http://${HOST}:${(app.server.address() as AddressInfo).port}/`;
}
