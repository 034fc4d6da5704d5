/**
 * What the engine itself can do: each route is one call of the runtime, with no registry around it.
 * `baseline.ts` starts it. Plain JavaScript, so that it runs as it is, without a bundle.
 */
import { createHash } from "node:crypto";

/** The part size of `R2BlobStore`. */
const PART_BYTES = 8 * 1024 * 1024;
/** The piece size of `readBytes`. */
const PIECE_BYTES = 1024 * 1024;

export default {
  async fetch(request, env) {
    const [, route, key] = new URL(request.url).pathname.split("/");
    switch (route) {
      case "ok":
        return new Response("ok");
      case "r2-put":
        await env.BUCKET.put(key, request.body);
        return new Response("ok");
      case "r2-put-verified":
        await env.BUCKET.put(key, request.body, { sha256: request.headers.get("x-sha256") });
        return new Response("ok");
      case "r2-multipart":
        await multipart(env.BUCKET, key, request.body);
        return new Response("ok");
      case "r2-get":
        return new Response((await env.BUCKET.get(key)).body);
      case "disk-put-hashed":
        return new Response(await hashed(env.DISK, key, request.body));
      case "disk-copy": {
        const { body } = await fetch(new URL(request.url).searchParams.get("from"));
        await env.DISK.fetch(`http://disk/${key}`, { method: "PUT", body });
        return new Response("ok");
      }
      case "disk-get":
        return env.DISK.fetch(`http://disk/${key}`);
      case "d1-fill":
        await fill(env.DB, Number(key), await request.text());
        return Response.json({});
      case "d1-insert":
        await env.DB.prepare("INSERT INTO bare (name, object) VALUES (?1, ?2)")
          .bind(key, await request.text())
          .run();
        return Response.json({});
      case "d1-get":
        return Response.json(await env.DB.prepare("SELECT object FROM bare WHERE name = ?1").bind(key).first());
      case "d1-page":
        return Response.json(await page(env.DB, key, Number(new URL(request.url).searchParams.get("limit"))));
      default:
        return new Response("no such route\n", { status: 404 });
    }
  },
};

/** A table of `count` rows, `o00000` and on, that all have the same text. */
async function fill(database, count, object) {
  await database.batch([
    database.prepare("CREATE TABLE bare (name TEXT NOT NULL PRIMARY KEY, object TEXT NOT NULL) STRICT, WITHOUT ROWID"),
    database
      .prepare(
        `WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1)
         INSERT INTO bare SELECT printf('o%05d', n), ?2 FROM numbers`,
      )
      .bind(count, object),
  ]);
}

/** Rows after a name. Names that `d1-insert` gives begin with a hexadecimal digit, before the `o` of these. */
async function page(database, after, limit) {
  const { results } = await database
    .prepare("SELECT name, object FROM bare WHERE name > ?1 ORDER BY name LIMIT ?2")
    .bind(after === "" ? "o" : after, limit)
    .all();
  return results;
}

/** Equal parts, one on its way while the next one fills. */
async function multipart(bucket, key, body) {
  const upload = await bucket.createMultipartUpload(key);
  const reader = body.getReader({ mode: "byob" });
  const parts = [];
  let inFlight;
  let free = new Uint8Array(PART_BYTES);
  let next = new Uint8Array(PART_BYTES);
  for (let number = 1; ; number += 1) {
    const { value, done } = await reader.readAtLeast(PART_BYTES, free);
    if (inFlight !== undefined) parts.push(await inFlight);
    if (done || value === undefined) break;
    inFlight = upload.uploadPart(number, value);
    free = next;
    next = new Uint8Array(value.buffer);
  }
  await upload.complete(parts);
}

/** Hashes natively on the way to a file, as `pumpHashed` does. */
async function hashed(disk, key, body) {
  const hash = createHash("sha256");
  const { readable, writable } = new IdentityTransformStream();
  const put = disk.fetch(`http://disk/${key}`, { method: "PUT", body: readable });
  const reader = body.getReader({ mode: "byob" });
  const writer = writable.getWriter();
  let buffer = new Uint8Array(PIECE_BYTES);
  for (;;) {
    const { value, done } = await reader.readAtLeast(PIECE_BYTES, buffer);
    if (done || value === undefined) break;
    hash.update(value);
    await writer.write(value);
    buffer = new Uint8Array(value.buffer);
  }
  await writer.close();
  await put;
  return hash.digest("hex");
}
