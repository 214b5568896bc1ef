/** @file The HTTP server of a split network.
 *  It bounds what a client can send before it spends memory or time: token, connections, requests
 *  in flight and a client's share of them, bytes, samples, seconds.
 *  Endpoints and limits: docs/serving.md. */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { DynnError, reasonOf } from "../../core/errors.js";
import type { Bundle } from "../../deploy/bundle.js";
import { requestBytes } from "../../deploy/wire.js";
import { Admission } from "./admission.js";
import { Connections } from "./connections.js";
import { makeEndpoints, type Service } from "./endpoints.js";
import { HttpServers } from "./http.js";
import { createMetrics } from "./metrics.js";
import { busy } from "./refusals.js";
import { createServerPart, maxBatchOf, type ServerPartOptions } from "./server-part.js";
import { checkTokenText, checkWhole } from "./settings.js";

export interface ServerOptions extends Omit<ServerPartOptions, "onRun"> {
  /** The token that clients must present. Without a token the server listens on this machine only.
   */
  readonly token?: string | undefined;
  /** The most bytes of a request. Default: the size of `maxBatch` samples in float32. */
  readonly maxBody?: number | undefined;
  /** The most milliseconds for a request to arrive, and again to be answered. Default: 10 000. */
  readonly timeoutMs?: number | undefined;
  /** The most requests at a time. Further requests are refused with Retry-After. Default: 64. */
  readonly maxPending?: number | undefined;
  /** The most connections at a time. Default: 1024. */
  readonly maxConnections?: number | undefined;
  /** Addresses and networks of proxies, separated by commas. Their X-Forwarded-For header gives the
   * client's address. */
  readonly proxy?: string | undefined;
  /** Called with each failure of the server itself. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The address on which a server listens. */
export interface Address {
  /** Name or IP address of the interface. */
  readonly host: string;
  /** The port. 0 means any free port. */
  readonly port: number;
}

/** A server of a split network. */
export interface Server {
  /** Begin to listen.
   * @returns the server's URL
   * @throws DynnError 'serve/config' when other machines can reach the address and the server has
   *   no token, 'serve/listen' when it cannot listen there */
  readonly listen: (address: Address) => Promise<string>;
  /** Accept no more requests, finish the requests in flight, free memory. After four fifths of the
   * timeout the unfinished requests are refused. After the timeout every connection is cut. */
  readonly close: () => Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_PENDING = 64;
const DEFAULT_MAX_CONNECTIONS = 1024;
/** The share of the timeout for which a client may keep others waiting. */
const PATIENCE = 0.1;
/** The limit, in milliseconds and as a share of the timeout, for data on its way when a connection
 * is to be closed. */
const LINGER_MS = 100;
const LINGER = 0.05;
/** The share of the timeout after which a stopping server refuses unfinished requests. */
const REFUSE_AT = 0.8;

/** Make a server of a split bundle's second half. The server side of the bundle is enough.
 * @throws DynnError 'serve/config' when the bundle is not a split, the server's part was not opened
 *   or an option is out of range; 'runtime/load' */
export async function createServer(bundle: Bundle, options: ServerOptions): Promise<Server> {
  const service = await makeService(bundle, options);
  const { metrics, connections, timeoutMs } = service;
  const endpoints = await makeEndpoints(service, options.proxy);
  const http = new HttpServers({ connections, timeoutMs, onRefused: metrics.refused, handle: endpoints.handle });
  let closed: Promise<void> | undefined;
  return {
    listen: (address) => listen(http, service, address),
    close: () => {
      closed ??= close(http, service).finally(endpoints.close);
      return closed;
    },
  };
}

async function makeService(bundle: Bundle, options: ServerOptions): Promise<Service> {
  const { timeoutMs, maxPending, maxConnections } = checked(options);
  const maxBatch = maxBatchOf(bundle, options);
  const names = bundle.manifest.exits.map(({ name }) => name);
  const metrics = await createMetrics(names, maxBatch);
  const part = await createServerPart(bundle, { ...options, maxBatch, onRun: metrics.ran });
  const patienceMs = PATIENCE * timeoutMs;
  return {
    part: part,
    metrics,
    token: options.token,
    timeoutMs,
    lingerMs: Math.min(LINGER_MS, LINGER * timeoutMs),
    maxBody: options.maxBody ?? requestBytes(part.form, { wire: "float32", count: maxBatch }),
    admission: new Admission({ most: maxPending, patienceMs }),
    connections: new Connections({ most: maxConnections, patienceMs, timeoutMs, onRefused: metrics.refused }),
    onError: options.onError ?? (() => {}),
    state: { stopping: false },
  };
}

/** @throws DynnError 'serve/config' */
function checked(options: ServerOptions) {
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    maxPending = DEFAULT_MAX_PENDING,
    maxConnections = DEFAULT_MAX_CONNECTIONS,
  } = options;
  checkWhole("timeout", timeoutMs);
  checkWhole("max-pending", maxPending);
  checkWhole("max-connections", maxConnections);
  if (options.maxBody !== undefined) checkWhole("max-body", options.maxBody);
  checkTokenText(options.token);
  return { timeoutMs, maxPending, maxConnections };
}

async function listen(http: HttpServers, { token }: Service, { host, port }: Address): Promise<string> {
  if (token === undefined && !isLoopback(host))
    throw new DynnError(
      "serve/config",
      `host ${host}: other machines can reach it, but the server has no token. Give a token, or listen on 127.0.0.1.`,
      { host, options: ["token"] },
    );
  try {
    const found = await http.listen(host, port);
    return `http://${host.includes(":") ? `[${host}]` : host}:${found}`;
  } catch (cause) {
    throw new DynnError(
      "serve/listen",
      `${host}:${port}: the server cannot listen there (${reasonOf(cause)}). Choose another port or host.`,
      { host, port, options: ["port", "host"] },
      { cause },
    );
  }
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

async function close(http: HttpServers, service: Service): Promise<void> {
  const { connections, part, timeoutMs, state } = service;
  state.stopping = true;
  http.stopListening();
  const refuse = setTimeout(() => connections.stop(busy("it is stopping")), REFUSE_AT * timeoutMs);
  let cut: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    cut = setTimeout(() => {
      connections.cutAll();
      resolve();
    }, timeoutMs);
  });
  try {
    await drain(service);
    // A run that takes longer than the timeout ends later, by itself.
    await Promise.race([part.close(), late]);
  } finally {
    clearTimeout(refuse);
    clearTimeout(cut);
    http.close();
  }
}

/** Resolves when every request is answered or refused. Connections without a request are cut after
 * a moment. */
async function drain({ connections, part, lingerMs }: Service): Promise<void> {
  part.hurry();
  const gone = connections.gone();
  await Promise.race([gone, sleep(lingerMs)]);
  // After a pause of this process, timers fire before the data that arrived meanwhile is read.
  await turn();
  connections.cutIdle();
  await gone;
}
