/** @file The open connections and the exchanges on them. Their number is bounded and shared as
 *  places are (admission.ts).
 *  A connection without an exchange waits for its client, so it is evicted first. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { DynnError } from "../../core/errors.js";
import { Admission, type Place } from "./admission.js";
import { clientOf } from "./clients.js";
import { Exchange } from "./exchange.js";
import { busy, rawAnswer, refusalOf } from "./refusals.js";

/** The most exchanges at a time on one connection. A client that pipelines more gets 503, and the
 * server reads no more of it. */
export const MOST_PIPELINED = 256;

/** The time limit of an exchange, in multiples of `timeoutMs`: one to arrive, one to be answered,
 * one to be read. */
const LIVES = 3;

export interface ConnectionsOptions {
  readonly most: number;
  readonly patienceMs: number;
  readonly timeoutMs: number;
  /** Called with the status of each refusal that is not an exchange. */
  readonly onRefused: (status: number) => void;
}

class Connection {
  readonly socket: Socket;
  readonly place: Place;
  /** The open exchanges in order of arrival, each with its handler. The first one has its turn. */
  readonly open = new Map<Exchange, (exchange: Exchange) => void>();
  last: Exchange | undefined;
  /** When set, nothing more is read. Called when all open exchanges are over. */
  finish: (() => void) | undefined;

  constructor(socket: Socket, place: Place) {
    this.socket = socket;
    this.place = place;
  }
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #admission: Admission;
  readonly #open = new Map<Socket, Connection>();
  readonly #exchanges = new WeakMap<IncomingMessage, Exchange>();
  readonly #waiting: (() => void)[] = [];
  #cutsIdle = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
  }

  /** The number of open connections. */
  get count(): number {
    return this.#open.size;
  }

  /** Accept a new connection, or turn it away. */
  accept(socket: Socket): void {
    const place = this.#admission.take(clientOf(socket.remoteAddress), () => socket.destroy());
    if (place) this.#open.set(socket, this.#watch(new Connection(socket, place)));
    else this.#turnAway(socket, busy("all its connections are in use"));
  }

  /** A request arrives.
   * @param handle called when all earlier exchanges on this connection are over: a pipeline has one
   *   place and one turn at a time
   * @returns undefined when the server must read no more of the connection */
  begin(
    request: IncomingMessage,
    response: ServerResponse,
    handle: (exchange: Exchange) => void,
  ): Exchange | undefined {
    const connection = this.#open.get(request.socket);
    if (!connection || connection.finish) return undefined;
    const exchange = new Exchange(request, response);
    this.#exchanges.set(request, exchange);
    connection.open.set(exchange, handle);
    connection.last = exchange;
    connection.place.work();
    exchange.onOver(() => {
      connection.open.delete(exchange);
      if (connection.open.size === 0) this.#rest(connection);
      // Other connections have their turn first.
      else setImmediate(() => this.#turn(connection));
    });
    return exchange;
  }

  /** Handle the first exchange of a request's connection, unless it is handled already. */
  start({ request }: Exchange): void {
    const connection = this.#open.get(request.socket);
    if (connection?.open.size === 1) this.#turn(connection);
  }

  /** Whether the connection of this exchange has too many exchanges. */
  isCrowded({ request }: Exchange): boolean {
    return (this.#open.get(request.socket)?.open.size ?? 0) > MOST_PIPELINED;
  }

  /** Close the connection after its open exchanges are over. Read nothing more from it. */
  finish({ request: { socket } }: Exchange): void {
    const connection = this.#open.get(socket);
    if (connection) connection.finish ??= () => socket.destroySoon();
  }

  of(request: IncomingMessage): Exchange | undefined {
    return this.#exchanges.get(request);
  }

  /** Whether this exchange is the newest on its connection. Only then may its answer close the
   * connection. */
  isLast(exchange: Exchange): boolean {
    return this.#open.get(exchange.request.socket)?.last === exchange;
  }

  /** A connection sends bytes that are not HTTP, or sends too late. Earlier exchanges are answered
   * first. */
  fail(socket: Socket, why: DynnError): void {
    const connection = this.#open.get(socket);
    if (!connection || !socket.writable) socket.destroy();
    else if (!connection.finish) this.#fail(connection, why);
  }

  #fail(connection: Connection, why: DynnError): void {
    const { last, socket } = connection;
    const within = last !== undefined && !last.request.complete;
    if (within) last.stop(why);
    connection.finish = within ? () => socket.destroySoon() : () => this.#turnAway(socket, why);
    if (connection.open.size === 0) connection.finish();
  }

  /** Answer every open exchange with this error. */
  stop(reason: DynnError): void {
    for (const { open } of this.#open.values()) for (const exchange of open.keys()) exchange.stop(reason);
  }

  cutAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  /** From now on, close each connection that has no open exchange. */
  cutIdle(): void {
    this.#cutsIdle = true;
    for (const { socket, open } of this.#open.values()) if (open.size === 0) socket.destroy();
  }

  /** Resolves when no connection is left. */
  async gone(): Promise<void> {
    if (this.count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #watch(connection: Connection): Connection {
    connection.socket.once("close", () => this.#gone(connection));
    return connection;
  }

  #turn({ open, socket }: Connection): void {
    const [first] = open;
    if (!first) return;
    const [exchange, handle] = first;
    const life = setTimeout(() => socket.destroy(), LIVES * this.#options.timeoutMs);
    exchange.onOver(() => clearTimeout(life));
    handle(exchange);
  }

  #rest({ place, finish, socket }: Connection): void {
    place.wait();
    if (finish) finish();
    else if (this.#cutsIdle) socket.destroySoon();
  }

  #gone(connection: Connection): void {
    connection.place.giveBack();
    this.#open.delete(connection.socket);
    for (const exchange of [...connection.open.keys()]) exchange.end();
    if (this.count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #turnAway(socket: Socket, why: DynnError): void {
    const refusal = refusalOf(why);
    this.#options.onRefused(refusal.status);
    socket.end(rawAnswer(refusal), () => socket.destroy());
  }
}
