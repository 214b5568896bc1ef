/** @file The HTTP endpoints: access control, places and answers.
 *  A request holds a place from its header until its answer is ready, its time is up, its client
 *  disconnects or a client with a smaller share evicts it. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DynnError, reasonOf } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { WIRE_TYPE } from "../../deploy/wire.js";
import { showReply } from "../../deploy/wire-answer.js";
import type { Admission } from "./admission.js";
import { discard, receive } from "./body.js";
import { clientOf } from "./clients.js";
import type { Connections } from "./connections.js";
import type { Exchange } from "./exchange.js";
import type { Metrics } from "./metrics.js";
import { busy, checkToken, headersOf, late, refusalOf, unknownPath } from "./refusals.js";
import type { ServerPart } from "./server-part.js";

/** The objects that requests are handled with. */
export interface Service {
  readonly part: ServerPart;
  readonly metrics: Metrics;
  readonly admission: Admission;
  readonly connections: Connections;
  readonly token: string | undefined;
  readonly maxBody: number;
  readonly timeoutMs: number;
  /** Milliseconds to wait for data that is still on its way before a connection is closed. */
  readonly lingerMs: number;
  readonly onError: (error: unknown) => void;
  readonly state: { stopping: boolean };
}

export interface Endpoints {
  /** Answer a request that is an exchange of the service's connections. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly close: () => Promise<void>;
}

const HEALTH = "/health";
const CLASSIFY = "/classify";

/** @param proxy addresses and networks whose X-Forwarded-For header is believed
 * @throws DynnError 'serve/config' when an entry is neither an address nor a network */
export async function makeEndpoints(service: Service, proxy: string | undefined): Promise<Endpoints> {
  const app = await makeApp(service, proxy);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(WIRE_TYPE, ({ raw }: FastifyRequest) => {
    const exchange = exchangeOf(service, raw);
    if (exchange.awaitsContinue) exchange.response.writeContinue();
    exchange.awaitsContinue = false;
    return receive(raw, raw.headers["content-length"], service.maxBody, exchange.signal);
  });
  app.addHook("onRequest", async (request) => admit(service, request));
  app.addHook("onSend", async (request, reply) => send(service, request, reply));
  app.setErrorHandler((error, request, reply) => refuse(service, error, request, reply));
  app.setNotFoundHandler(({ method, url }) => {
    throw unknownPath(method, url);
  });
  addRoutes(app, service);
  await app.ready();
  return { handle: (request, response) => app.routing(request, response), close: () => app.close() };
}

/** @throws DynnError 'serve/config' */
async function makeApp(service: Service, proxy: string | undefined): Promise<FastifyInstance> {
  const { default: fastify } = await import("fastify");
  try {
    return await fastify({
      trustProxy: proxy ?? false,
      return503OnClosing: false,
      // Fastify does not run hooks for requests that its router cannot read.
      frameworkErrors: (error, request, reply) => void refuse(service, error, request, reply),
    });
  } catch (cause) {
    throw new DynnError(
      "serve/config",
      `proxy: got "${proxy}", expected addresses or networks (${reasonOf(cause)}). Write e.g. 10.0.0.7 or 10.0.0.0/8.`,
      { proxy },
      { cause },
    );
  }
}

function addRoutes(app: FastifyInstance, service: Service): void {
  const { registry } = service.metrics;
  app.get(HEALTH, async (request, reply) => health(service, request, reply));
  app.get("/metrics", async (_, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });
  app.post(CLASSIFY, { onRequest: async (request) => enter(service, request) }, (request) =>
    classify(service, request),
  );
}

/** The answer that the same client would get for a request now. Load balancers read the status. */
function health({ part, admission, state }: Service, { ip }: FastifyRequest, reply: FastifyReply) {
  const { model, parts } = part.manifest;
  const status = state.stopping ? "stopping" : admission.admits(clientOf(ip)) ? "ok" : "busy";
  if (status !== "ok") reply.status(503).headers(headersOf({ status: 503 }));
  const { fingerprint } = part.form;
  return { status, model, part: parts[1]?.name, fingerprint, maxBatch: part.maxBatch };
}

/** Check the token. A request with the token is counted from its header to its end, or until its
 * client disconnects.
 * @throws DynnError 'serve/busy', 'serve/token' */
function admit(service: Service, { raw, headers, routeOptions }: FastifyRequest): void {
  if (routeOptions.url === HEALTH) return;
  if (service.token !== undefined) checkToken(headers.authorization, service.token);
  const exchange = exchangeOf(service, raw);
  const { response } = exchange;
  exchange.known = true;
  const end = service.metrics.begin(routeOptions.url ?? "other");
  exchange.onOver(() => end(response.writableFinished ? String(response.statusCode) : "left"));
  if (service.state.stopping) throw busy("it is stopping");
}

/** Take a place before the body is read.
 * @throws DynnError 'serve/busy' */
function enter(service: Service, { raw, ip }: FastifyRequest): void {
  const { admission, timeoutMs } = service;
  const exchange = exchangeOf(service, raw);
  exchange.signal.throwIfAborted();
  const place = admission.take(clientOf(ip), () =>
    exchange.stop(busy("another client with fewer requests in flight needs the place")),
  );
  if (!place) throw busy(`${counted(admission.most, "request is", "requests are")} in flight`);
  exchange.place = place;
  exchange.onOver(place.giveBack);
  exchange.allow(timeoutMs, late);
}

async function classify(service: Service, { raw, body }: FastifyRequest) {
  const { part, metrics, timeoutMs } = service;
  const exchange = exchangeOf(service, raw);
  exchange.signal.throwIfAborted();
  exchange.place?.work();
  exchange.allow(timeoutMs, () => busy(`no answer after ${timeoutMs} ms`));
  const request = body instanceof Uint8Array ? body : new Uint8Array();
  metrics.received(request.length);
  const reply = await part.classify(request, exchange.signal);
  metrics.answered(reply.answers);
  return showReply(reply, part.manifest);
}

/** Send the answer that is ready. Give the place back, and close the connection when necessary.
 * An answer closes the connection only when no later request came on it: later requests would go
 * unanswered.
 * The rest of the body is read first. To close earlier would reset the connection, and the client
 * might never see the answer. */
async function send(
  { connections, state, lingerMs }: Service,
  { raw }: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const exchange = exchangeOf({ connections }, raw);
  exchange.place?.giveBack();
  const closes = state.stopping || exchange.awaitsContinue || reply.getHeader("connection") === "close";
  reply.removeHeader("connection");
  if (!closes || !connections.isLast(exchange)) return;
  if (!exchange.awaitsContinue) await discard(raw, lingerMs);
  reply.header("connection", "close");
}

function refuse(service: Service, error: unknown, { raw }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error);
  const { status, body } = refusal;
  if (status === 500) service.onError(error);
  if (!exchangeOf(service, raw).known) service.metrics.refused(status);
  return reply.status(status).headers(headersOf(refusal)).send(body);
}

function exchangeOf({ connections }: Pick<Service, "connections">, request: IncomingMessage): Exchange {
  const exchange = connections.of(request);
  if (!exchange) throw new Error("bug: the request does not belong to an exchange");
  return exchange;
}
