/** @file A small server with the interface of S3 that the store uses: it checks signatures, keeps the first object of a name, and
 *  can lose connections. */
import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import fastify, { type FastifyRequest } from "fastify";

export const KEYS = { accessKeyId: "dynn", secretAccessKey: "the secret of the test", region: "us-east-1" };

const error = (code: string) => `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`;

/** Whether a request carries the signature that its own date and headers give with the secret. */
async function isSigned({ method, url, headers }: FastifyRequest): Promise<boolean> {
  const given = headers.authorization ?? "";
  const names = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(";") ?? [];
  const signed = names.filter((name) => name !== "host").map((name) => [name, String(headers[name])]);
  const signer = new AwsV4Signer({
    ...KEYS,
    method,
    url: `http://${headers.host}${url}`,
    headers: signed as [string, string][],
    service: "s3",
    datetime: String(headers["x-amz-date"]),
  });
  return (await signer.authHeader()) === given;
}

export async function bucketServer({ pageSize = 1000 } = {}) {
  const objects = new Map<string, Buffer>();
  const served = { puts: 0, requests: 0 };
  /** Answers that are still to be lost, by method. */
  const lose = { before: 0, after: 0 };
  const app = fastify({ bodyLimit: 2 ** 26 });
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.addHook("onRequest", async (request, reply) => {
    served.requests++;
    if (lose.before > 0) {
      lose.before--;
      request.raw.socket.destroy();
      return reply.hijack();
    }
    if (!(await isSigned(request))) return reply.code(403).send(error("SignatureDoesNotMatch"));
  });
  app.get("/bucket/", async (request) => {
    const { prefix = "", "continuation-token": token = "" } = request.query as Record<string, string>;
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > token).sort();
    const page = keys.slice(0, pageSize);
    const next = keys.length > pageSize ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return `<ListBucketResult>${page.map((key) => `<Contents><Key>${key}</Key></Contents>`).join("")}${next}</ListBucketResult>`;
  });
  app.get("/bucket/*", async (request, reply) => {
    const found = objects.get((request.params as { "*": string })["*"]);
    return found ? reply.send(found) : reply.code(404).send(error("NoSuchKey"));
  });
  app.put("/bucket/*", async (request, reply) => {
    const name = (request.params as { "*": string })["*"];
    const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
    served.puts++;
    if (createHash("sha256").update(body).digest("hex") !== request.headers["x-amz-content-sha256"])
      return reply.code(400).send(error("XAmzContentSHA256Mismatch"));
    const isThere = objects.has(name);
    if (!isThere) objects.set(name, body);
    if (lose.after > 0) {
      lose.after--;
      request.raw.socket.destroy();
      return reply.hijack();
    }
    return isThere && request.headers["if-none-match"] === "*"
      ? reply.code(412).send(error("PreconditionFailed"))
      : reply.send("");
  });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  return { endpoint, objects, served, lose, close: () => app.close() };
}
