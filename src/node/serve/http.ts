/** @file The HTTP servers under the endpoints. Every request becomes an exchange. Requests that
 *  break HTTP get an error in the same form as all others. */
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
  /** Answers a valid request. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Milliseconds after which a connection without a request is closed. */
const KEEP_ALIVE_MS = 72_000;

/** The servers of one port. `localhost` has one server for each of its addresses. */
export class HttpServers {
  readonly #options: HttpOptions;
  readonly #servers: Server[] = [];

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** @returns the port
   * @throws the error of Node when the address cannot be listened on */
  async listen(host: string, port: number): Promise<number> {
    const [first = host, ...others] =
      host === "localhost" ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
    const found = await this.#add(first, port);
    // The machine may name an address that it cannot listen on.
    for (const other of others) await this.#add(other, found).catch(() => undefined);
    return found;
  }

  /** Accept no more connections. Open connections stay open. */
  stopListening(): void {
    // The `close` of Node's HTTP server would also cut connections on which a request is on its
    // way.
    for (const server of this.#servers) if (server.listening) NetServer.prototype.close.call(server);
  }

  /** Free the rest, after the last connection is closed. */
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
    // A connection that cannot be accepted, e.g. for lack of file handles, must not end the
    // process.
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
