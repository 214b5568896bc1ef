/** @file The server of a split network over HTTP. What a client can send is bounded before memory or time is spent on it: token, connections,
 *  requests in flight and a share of them, bytes, samples, seconds. Endpoints and limits: docs/serving.md. */
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
import { createServerPart, DEFAULT_MAX_BATCH, type ServerPartOptions } from "./server-part.js";
import { checkTokenText, checkWhole } from "./settings.js";

export interface ServerOptions extends Omit<ServerPartOptions, "onRun"> {
  /** What clients must present; without one the server listens on this machine only. */
  readonly token?: string | undefined;
  /** Most bytes of a request; left out: what `maxBatch` samples take in float32. */
  readonly maxBody?: number | undefined;
  /** Most milliseconds for a request to arrive, and to be answered; left out: 10 000. */
  readonly timeoutMs?: number | undefined;
  /** Most requests at a time; further ones are told to come again. Left out: 64. */
  readonly maxPending?: number | undefined;
  /** Most connections at a time. Left out: 1024. */
  readonly maxConnections?: number | undefined;
  /** Addresses and networks of proxies, separated by commas. What they say in X-Forwarded-For is a client's address. */
  readonly proxy?: string | undefined;
  /** Told of failures that no client is to blame for. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Where a server listens. */
export interface Address {
  /** Name or IP address of the interface. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** A server of a split network. */
export interface Server {
  /** Begin to listen.
   * @returns the server's URL
   * @throws DynnError 'serve/config' when the address is open to others and there is no token, 'serve/listen' when it cannot be had */
  readonly listen: (address: Address) => Promise<string>;
  /** Take no more requests, finish those in flight, give back memory. What is not finished after four fifths of the timeout is refused, and
   *  after the timeout every connection is cut. */
  readonly close: () => Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_PENDING = 64;
const DEFAULT_MAX_CONNECTIONS = 1024;
/** A client may keep others waiting for so much of the timeout. */
const PATIENCE = 0.1;
/** Most milliseconds, and most of the timeout, for what is on its way when a connection is to be closed. */
const LINGER_MS = 100;
const LINGER = 0.05;
/** What is not answered by then is refused. */
const REFUSE_AT = 0.8;

/** Make a server of a split bundle's second half; the bundle's server side is enough.
 * @throws DynnError 'serve/config' when the bundle is no split, the server's part was not opened or an option is out of range; 'runtime/load' */
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
  const { maxBatch, timeoutMs, maxPending, maxConnections } = checked(options);
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
    maxBody: options.maxBody ?? requestBytes(part.form, "float32", maxBatch),
    admission: new Admission({ most: maxPending, patienceMs }),
    connections: new Connections({ most: maxConnections, patienceMs, timeoutMs, onRefused: metrics.refused }),
    onError: options.onError ?? (() => {}),
    state: { stopping: false },
  };
}

/** @throws DynnError 'serve/config' */
function checked(options: ServerOptions) {
  const {
    maxBatch = DEFAULT_MAX_BATCH,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    maxPending = DEFAULT_MAX_PENDING,
    maxConnections = DEFAULT_MAX_CONNECTIONS,
  } = options;
  checkWhole("max-batch", maxBatch);
  checkWhole("timeout", timeoutMs);
  checkWhole("max-pending", maxPending);
  checkWhole("max-connections", maxConnections);
  if (options.maxBody !== undefined) checkWhole("max-body", options.maxBody);
  checkTokenText(options.token);
  return { maxBatch, timeoutMs, maxPending, maxConnections };
}

async function listen(http: HttpServers, { token }: Service, { host, port }: Address): Promise<string> {
  if (token === undefined && !isLoopback(host))
    throw new DynnError(
      "serve/config",
      `host ${host}: others can reach it, and there is no token. Give a token, or listen on 127.0.0.1.`,
      { host, options: ["token"] },
    );
  try {
    const found = await http.listen(host, port);
    return `http://${host.includes(":") ? `[${host}]` : host}:${found}`;
  } catch (cause) {
    throw new DynnError(
      "serve/listen",
      `${host}:${port}: cannot be listened on (${reasonOf(cause)}). Choose another port or host.`,
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

/** When everything is answered or refused. Connections on which nothing is asked are cut after a moment. */
async function drain({ connections, part, lingerMs }: Service): Promise<void> {
  part.hurry();
  const gone = connections.gone();
  await Promise.race([gone, sleep(lingerMs)]);
  // After a pause of this process, timers come before what has arrived meanwhile.
  await turn();
  connections.cutIdle();
  await gone;
}
