/** @file A store of results in a bucket of S3, or of a server with its interface. An object is put
 *  with `If-None-Match: *`, so the first one stays. Source: Amazon S3 API Reference, PutObject,
 *  GetObject, ListObjectsV2. */
import { AwsClient } from "aws4fetch";
import { sha256 } from "../../core/digest.js";
import { DynnError, reasonOf } from "../../core/errors.js";
import { type Blobs, blobStore } from "./blobs.js";
import type { SharedStore } from "./shared.js";

/** How a bucket is reached. */
export interface S3Access {
  /** The server, when it is not that of Amazon. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Tries of one request. */
const TRIES = 5;
/** Milliseconds before the second try. Each later wait is twice as long. */
const FIRST_WAIT_MS = 200;

/** Access from the environment, under the names that all tools of S3 use.
 * @throws DynnError 'store/unreachable' when the keys are missing */
export function accessFrom(env: Readonly<Record<string, string | undefined>>, spec: string): S3Access {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey)
    throw new DynnError(
      "store/unreachable",
      `${spec}: the environment holds no keys. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. For a server of another maker than Amazon, set AWS_ENDPOINT_URL too.`,
      { spec },
    );
  return {
    ...{ accessKeyId, secretAccessKey },
    endpoint: env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL,
    region: env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? "us-east-1",
    sessionToken: env.AWS_SESSION_TOKEN,
  };
}

/** Opens a store in a bucket. The bucket must exist.
 * @param spec s3://BUCKET/PREFIX
 * @throws DynnError 'store/unreachable', 'study/version', 'store/damaged'
 * @example const store = await s3TaskStore("s3://results/study", accessFrom(process.env, "s3://results/study")); */
export const s3TaskStore = (spec: string, access: S3Access): Promise<SharedStore> =>
  blobStore(new Bucket(spec, access));

class Bucket implements Blobs {
  readonly #client: AwsClient;
  readonly #root: string;
  readonly #prefix: string;

  constructor(
    private readonly spec: string,
    { endpoint, region, accessKeyId, secretAccessKey, sessionToken }: S3Access,
  ) {
    const { bucket, prefix } = parseSpec(spec);
    this.#prefix = prefix;
    this.#root = endpoint
      ? `${endpoint.replace(/\/+$/, "")}/${bucket}`
      : `https://${bucket}.s3.${region}.amazonaws.com`;
    const keys = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
    this.#client = new AwsClient({ ...keys, region, service: "s3", retries: 0 });
  }

  readonly place = (name: string): string => `${this.spec.replace(/\/+$/, "")}/${name}`;

  readonly get = async (name: string): Promise<Uint8Array | undefined> => {
    const answer = await this.#ask(name, "GET", this.#url(name));
    return answer.status === 404 ? undefined : answer.bytes;
  };

  readonly has = async (name: string): Promise<boolean> =>
    (await this.#ask(name, "HEAD", this.#url(name))).status !== 404;

  readonly putOnce = async (name: string, bytes: Uint8Array): Promise<void> => {
    const headers = { "If-None-Match": "*", "X-Amz-Content-Sha256": sha256(bytes) };
    const { status } = await this.#ask(name, "PUT", this.#url(name), { headers, body: new Uint8Array(bytes) });
    if (status === 404) throw this.#refused(name, 404, "the bucket does not exist");
  };

  readonly list = async (folder: string): Promise<string[]> => {
    const names: string[] = [];
    for (let token: string | undefined = ""; token !== undefined; ) {
      const page = await this.#page(`${this.#prefix}${folder}/`, token);
      names.push(...page.names);
      token = page.next;
    }
    return names;
  };

  async #page(prefix: string, token: string): Promise<{ names: string[]; next: string | undefined }> {
    const query = new URLSearchParams({ "list-type": "2", prefix, ...(token && { "continuation-token": token }) });
    const { status, bytes } = await this.#ask(prefix, "GET", `${this.#root}/?${query}`);
    if (status === 404) throw this.#refused(prefix, 404, "the bucket does not exist");
    // Loaded here, because it takes a quarter of a second.
    const { DOMParser } = await import("linkedom/worker");
    const xml = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "text/xml");
    const texts = (tag: string): string[] => [...xml.getElementsByTagName(tag)].map((node) => node.textContent ?? "");
    const [next] = texts("NextContinuationToken");
    return { names: texts("Key").map((key) => key.slice(prefix.length)), next };
  }

  readonly #url = (name: string): string => `${this.#root}/${this.#prefix}${name}`;

  /** Asks until there is an answer that another try would not change.
   * @returns the answer: found, not found (404), or there already (412) */
  async #ask(name: string, method: string, url: string, init: RequestInit = {}): Promise<Answer> {
    let last = "";
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (attempt - 1)));
      const answer = await this.#once(method, url, init);
      if (typeof answer === "string") last = answer;
      else if (answer.status < 300 || [404, 412].includes(answer.status)) return answer;
      // Two processes put the same object at one time (409), or the server is busy.
      else if ([409, 429].includes(answer.status) || answer.status >= 500) last = `status ${answer.status}`;
      else throw this.#refused(name, answer.status, codeIn(answer.bytes));
    }
    throw this.#unreachable(name, last);
  }

  /** @returns the answer, or why there is none */
  async #once(method: string, url: string, init: RequestInit): Promise<Answer | string> {
    try {
      const response = await this.#client.fetch(url, { ...init, method });
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      return reasonOf(error instanceof Error && error.cause ? error.cause : error);
    }
  }

  #refused(name: string, status: number, what: string): DynnError {
    return new DynnError(
      "store/unreachable",
      `${this.place(name)}: the server refuses access (status ${status}, ${what}). Check the bucket, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and the rights of the key.`,
      { store: this.spec, status },
    );
  }

  #unreachable(name: string, reason: string): DynnError {
    return new DynnError(
      "store/unreachable",
      `${this.place(name)}: the server does not answer after ${TRIES} tries (${reason}). Check AWS_ENDPOINT_URL and the network, and run the study again: finished tasks stay.`,
      { store: this.spec },
    );
  }
}

interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** The code in an error document of S3, such as AccessDenied. */
const codeIn = (bytes: Uint8Array): string =>
  /<Code>(\w+)<\/Code>/.exec(new TextDecoder().decode(bytes))?.[1] ?? "no reason given";

/** @throws DynnError 'study/value' */
function parseSpec(spec: string): { bucket: string; prefix: string } {
  const [, bucket, path = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/(.*))?$/.exec(spec) ?? [];
  if (bucket === undefined)
    throw new DynnError("study/value", `store "${spec}": is not a place in a bucket. Write e.g. s3://results/study`, {
      spec,
    });
  const prefix = path.replace(/\/+$/, "");
  return { bucket, prefix: prefix === "" ? "" : `${prefix}/` };
}
