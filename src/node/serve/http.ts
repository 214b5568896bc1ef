/** @file The HTTP servers under the endpoints. Every request becomes an exchange; what HTTP itself refuses gets the same form of answer as all else. */
import { lookup } from "node:dns/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import type { DynnError } from "../../core/errors.js";
import type { Connections } from "./connections.js";
import type { Exchange } from "./exchange.js";
import { busy, expectation, headersOf, noHost, noTunnel, ofHttp, refusalOf } from "./refusals.js";

export interface HttpOptions {
  readonly connections: Connections;
  readonly timeoutMs: number;
  readonly onRefused: (status: number) => void;
  /** Answers what is a proper request. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A connection on which nothing is asked is closed after so long. */
const KEEP_ALIVE_MS = 72_000;

/** The servers of one port; `localhost` has one for each of its addresses. */
export class HttpServers {
  readonly #options: HttpOptions;
  readonly #servers: Server[] = [];

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** @returns the port
   * @throws what Node says of an address that cannot be had */
  async listen(host: string, port: number): Promise<number> {
    const [first = host, ...others] =
      host === "localhost" ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
    const found = await this.#add(first, port);
    // A machine may name an address that it has not.
    for (const other of others) await this.#add(other, found).catch(() => undefined);
    return found;
  }

  /** Take no more connections; those that are open stay. */
  stopListening(): void {
    // What Node's HTTP server adds to this would cut connections on which a request is on its way.
    for (const server of this.#servers) if (server.listening) NetServer.prototype.close.call(server);
  }

  /** Give back what is left, once no connection is open. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  async #add(host: string, port: number): Promise<number> {
    const server = httpServer(this.#options);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    // A connection that cannot be accepted, for want of file handles, is no reason to end.
    server.on("error", () => {});
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }
}

function httpServer(options: HttpOptions): Server {
  const { connections, timeoutMs } = options;
  const server = createServer({
    requestTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    connectionsCheckingInterval: Math.min(1000, timeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requireHostHeader: false,
  });
  const serve =
    (prepare: (exchange: Exchange) => DynnError | undefined) =>
    (request: IncomingMessage, response: ServerResponse) => {
      let refused: DynnError | undefined;
      const exchange = connections.begin(request, response, (of) =>
        refused ? refuse(options, of, refused) : options.handle(request, response),
      );
      if (!exchange) return;
      refused = crowded(connections, exchange) ?? prepare(exchange) ?? hostless(request);
      if (refused) connections.finish(exchange);
      connections.start(exchange);
    };
  server.on("connection", (socket: Socket) => connections.accept(socket));
  server.on(
    "request",
    serve(() => undefined),
  );
  server.on(
    "checkContinue",
    serve((exchange) => {
      exchange.awaitsContinue = true;
      return undefined;
    }),
  );
  server.on("checkExpectation", serve(expectation));
  server.on("connect", (_: IncomingMessage, socket: Socket) => connections.fail(socket, noTunnel()));
  server.on("clientError", (error: Error, socket) => connections.fail(socket as Socket, ofHttp(error)));
  return server;
}

const crowded = (connections: Connections, exchange: Exchange): DynnError | undefined =>
  connections.isCrowded(exchange) ? busy("too many requests wait on this connection") : undefined;

const hostless = ({ httpVersion, headers }: IncomingMessage): DynnError | undefined =>
  httpVersion === "1.1" && headers.host === undefined ? noHost() : undefined;

function refuse({ onRefused }: HttpOptions, exchange: Exchange, why: DynnError): void {
  const refusal = refusalOf(why);
  onRefused(refusal.status);
  const text = JSON.stringify(refusal.body);
  exchange.response
    .writeHead(refusal.status, {
      ...headersOf(refusal),
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(text),
      connection: "close",
    })
    .end(text);
}
