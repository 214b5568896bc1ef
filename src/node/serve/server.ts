/** @file The server of a split network over HTTP. What a client can send is bounded before memory or time is spent on it: token, requests in
 *  flight, bytes, samples, seconds. Endpoints and limits: docs/serving.md. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DynnError, reasonOf } from "../../core/errors.js";
import type { Bundle } from "../../deploy/bundle.js";
import { requestBytes, WIRE_TYPE } from "../../deploy/wire.js";
import { showReply } from "../../deploy/wire-answer.js";
import { createEngine, DEFAULT_MAX_BATCH, type Engine, type EngineOptions } from "./engine.js";
import { createMetrics, type Metrics } from "./metrics.js";
import { busy, checkToken, rawRefusal, refusalOf, unknownPath } from "./refusals.js";
import { checkTokenText, checkWhole } from "./settings.js";

export interface ServerOptions extends Omit<EngineOptions, "onRun"> {
  /** What clients must present; without one the server listens on this machine only. */
  readonly token?: string | undefined;
  /** Most bytes of a request; left out: what `maxBatch` samples take in float32. */
  readonly maxBody?: number | undefined;
  /** Most milliseconds for a request to arrive, and to be answered; left out: 10 000. */
  readonly timeoutMs?: number | undefined;
  /** Most requests at a time; further ones are told to come again. Left out: 64. */
  readonly maxPending?: number | undefined;
  /** Told of failures that no client is to blame for. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Server {
  /** Begin to listen.
   * @returns the server's URL
   * @throws DynnError 'serve/config' when the address is open to others and there is no token, 'serve/listen' when it cannot be had */
  readonly listen: (address: Address) => Promise<string>;
  /** Take no more requests, finish those in flight, give back memory. Takes no longer than a request may. */
  readonly close: () => Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_PENDING = 64;
const RETRY_AFTER_SECONDS = 1;

/** What requests are handled with. */
interface Service {
  readonly engine: Engine;
  readonly metrics: Metrics;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly maxPending: number;
  readonly onError: (error: unknown) => void;
  /** Changes as the server lives. `idle` is called when nothing is pending any more. */
  readonly state: { pending: number; stopping: boolean; idle?: () => void };
}

/** Make a server of a split bundle's second half; the bundle's server side is enough.
 * @throws DynnError 'serve/config' when the bundle is no split, the server's part was not opened or an option is out of range; 'runtime/load' */
export async function createServer(bundle: Bundle, options: ServerOptions): Promise<Server> {
  const { maxBatch = DEFAULT_MAX_BATCH, timeoutMs = DEFAULT_TIMEOUT_MS, maxPending = DEFAULT_MAX_PENDING } = options;
  for (const [name, value] of Object.entries({ "max-batch": maxBatch, timeout: timeoutMs, "max-pending": maxPending }))
    checkWhole(name, value);
  if (options.maxBody !== undefined) checkWhole("max-body", options.maxBody);
  checkTokenText(options.token);
  const names = bundle.manifest.exits.map(({ name }) => name);
  const metrics = await createMetrics(names, maxBatch);
  const engine = await createEngine(bundle, { ...options, maxBatch, onRun: metrics.ran });
  const service: Service = {
    engine,
    metrics,
    token: options.token,
    timeoutMs,
    maxPending,
    onError: options.onError ?? (() => {}),
    state: { pending: 0, stopping: false },
  };
  const app = await makeApp(service, options.maxBody ?? requestBytes(engine.form, "float32", maxBatch));
  let closed: Promise<void> | undefined;
  return {
    listen: (address) => listen(app, service, address),
    close: () => {
      closed ??= close(app, service);
      return closed;
    },
  };
}

async function makeApp(service: Service, bodyLimit: number): Promise<FastifyInstance> {
  const { default: fastify } = await import("fastify");
  const app: FastifyInstance = fastify({
    bodyLimit,
    requestTimeout: service.timeoutMs,
    http: {
      headersTimeout: service.timeoutMs,
      connectionsCheckingInterval: Math.min(1000, service.timeoutMs),
    },
    return503OnClosing: false,
    forceCloseConnections: "idle",
    clientErrorHandler: (error, socket) => {
      if (error.code === "ECONNRESET" || socket.destroyed) return;
      if (socket.writable) socket.write(rawRefusal(error));
      socket.destroy(error);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(WIRE_TYPE, { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.addHook("onRequest", async (request, reply) => {
    count(service, request, reply);
    admit(service, request, reply);
  });
  app.addHook("onSend", async (_, reply) => {
    if (service.state.stopping) reply.header("connection", "close");
  });
  app.setErrorHandler((error, _, reply) => refuse(service, error, reply));
  app.setNotFoundHandler(({ method, url }) => {
    throw unknownPath(method, url);
  });
  addRoutes(app, service);
  return app;
}

function addRoutes(app: FastifyInstance, service: Service): void {
  const { engine, metrics, state } = service;
  const { model, parts } = engine.manifest;
  app.get(HEALTH, () => ({
    status: state.stopping ? "stopping" : "ok",
    model,
    part: parts[1]?.name,
    fingerprint: engine.form.fingerprint,
    maxBatch: engine.maxBatch,
  }));
  app.get("/metrics", async (_, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  app.post(CLASSIFY, { onRequest: async (_, reply) => enter(service, reply) }, (request, reply) =>
    classify(service, request, reply),
  );
}

const HEALTH = "/health";
const CLASSIFY = "/classify";

/** Count a request from its header to its end, which is also the client's leaving. */
function count({ metrics }: Service, { routeOptions }: FastifyRequest, { raw }: FastifyReply): void {
  const end = metrics.begin(routeOptions.url ?? "other");
  raw.once("close", () => end(raw.writableFinished ? String(raw.statusCode) : "left"));
}

/** @throws DynnError 'serve/busy', 'serve/token' */
function admit({ token, state }: Service, { headers, routeOptions }: FastifyRequest, reply: FastifyReply): void {
  if (routeOptions.url === HEALTH) return;
  if (token !== undefined) checkToken(headers.authorization, token);
  if (!state.stopping) return;
  reply.header("connection", "close");
  throw busy("it is stopping");
}

/** Take a place, before the body is read.
 * @throws DynnError 'serve/busy' */
function enter({ state, maxPending }: Service, { raw }: FastifyReply): void {
  state.pending++;
  raw.once("close", () => {
    state.pending--;
    if (state.pending === 0) state.idle?.();
  });
  if (state.pending > maxPending) throw busy(`${maxPending} requests are in flight`);
}

async function classify(service: Service, { body }: FastifyRequest, { raw }: FastifyReply) {
  const { engine, metrics, timeoutMs } = service;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(busy(`no answer after ${timeoutMs} ms`)), timeoutMs);
  raw.once("close", () => stop.abort(busy("the client has left")));
  try {
    const request = body instanceof Uint8Array ? body : new Uint8Array();
    metrics.received(request.length);
    const reply = await engine.classify(request, stop.signal);
    metrics.answered(reply.answers);
    return showReply(reply, engine.manifest);
  } finally {
    clearTimeout(timer);
  }
}

function refuse({ onError }: Service, error: unknown, reply: FastifyReply): FastifyReply {
  const { status, body } = refusalOf(error);
  if (status === 500) onError(error);
  if (status === 503) reply.header("retry-after", RETRY_AFTER_SECONDS);
  if (status === 401) reply.header("www-authenticate", "Bearer");
  return reply.status(status).send(body);
}

async function listen(app: FastifyInstance, { token }: Service, { host, port }: Address): Promise<string> {
  if (token === undefined && !isLoopback(host))
    throw new DynnError(
      "serve/config",
      `host ${host}: others can reach it, and there is no token. Give one with --token or DYNN_TOKEN, or listen on 127.0.0.1.`,
      { host },
    );
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw new DynnError(
      "serve/listen",
      `${host}:${port}: cannot be listened on (${reasonOf(cause)}). Choose another --port or --host.`,
      { host, port },
      { cause },
    );
  }
  const { port: found } = app.server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${found}`;
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

async function close(app: FastifyInstance, { engine, timeoutMs, state }: Service): Promise<void> {
  state.stopping = true;
  const idle = new Promise<void>((resolve) => {
    state.idle = resolve;
    if (state.pending === 0) resolve();
  });
  const late = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  try {
    const closed = app.close();
    await idle;
    // Those left have asked nothing, or nothing that matters.
    app.server.closeAllConnections();
    await closed;
    await engine.close();
  } finally {
    clearTimeout(late);
  }
}
