import { expect, test } from "vitest";
import { parseReference } from "../../src/oci/index.ts";
import { type Database, openDatabase } from "../../src/platform/index.ts";
import { bindings, retries } from "./bindings.ts";
import { someBytes } from "./bytes.ts";
import { createKernel, imageOf, newRepository, pushBlob, pushManifest } from "./fixture.ts";

let seed = 7100;

/** A kernel that writes, and one of another isolate that reads, near a replica which has everything or nothing. */
async function world({ replicaIsEmpty }: { replicaIsEmpty: boolean }) {
  const asked: string[] = [];
  const database = counted(bindings.DB, () => asked.push("database"));
  const withSession: D1Database["withSession"] = (constraint) => {
    const session = bindings.DB.withSession(constraint);
    const replica = replicaIsEmpty ? lagging(session) : session;
    return { ...counted(replica, () => asked.push("replica")), getBookmark: () => session.getBookmark() };
  };
  const reader = createKernel({
    database: openDatabase({ ...database, withSession }, { turns: undefined, retries }),
    staleness: 1000,
  });
  const writer = createKernel();
  const repository = newRepository();
  const blob = await pushBlob(writer, repository, someBytes(100, (seed += 1)));
  const image = imageOf([blob.digest]);
  const pushed = await pushManifest(writer, repository, image, "latest");
  if (!pushed.ok) throw new Error(pushed.error.reason);
  const look = async (what: string, fresh = false) => {
    asked.length = 0;
    const reference = parseReference(what === "blob" ? blob.digest : what);
    if (!reference.ok) throw new Error(reference.error.reason);
    const found =
      what === "blob"
        ? await reader.blobs.find(repository, blob.digest, fresh)
        : await reader.manifests.find(repository, reference.value, fresh);
    return { isThere: found.ok, asked: [...asked] };
  };
  return { look, reader, repository, manifest: pushed.value.digest, blob: blob.digest };
}

function counted(database: Database, count: () => void): Database {
  return {
    prepare(sql) {
      count();
      return database.prepare(sql);
    },
    batch: (statements) => database.batch(statements),
  };
}

/** The database as it was before there was anything in it. */
function lagging(database: Database): Database {
  return { prepare: (sql) => database.prepare(`SELECT * FROM (${sql}) WHERE false`), batch: () => Promise.reject() };
}

test("what a digest names is asked of the nearest replica alone", async () => {
  const { look, manifest } = await world({ replicaIsEmpty: false });
  expect(await look("blob")).toEqual({ isThere: true, asked: ["replica"] });
  expect(await look(manifest)).toEqual({ isThere: true, asked: ["replica"] });
});

test("what a tag names is asked of the database", async () => {
  const { look } = await world({ replicaIsEmpty: false });
  expect(await look("latest")).toEqual({ isThere: true, asked: ["database"] });
});

test("what the replica does not have yet is asked of the database: a push is never hidden", async () => {
  const { look, manifest } = await world({ replicaIsEmpty: true });
  expect(await look("blob")).toEqual({ isThere: true, asked: ["replica", "database"] });
  expect(await look(manifest)).toEqual({ isThere: true, asked: ["replica", "database"] });
});

test("whoever asks for a fresh answer gets that of the database", async () => {
  const { look, manifest } = await world({ replicaIsEmpty: false });
  expect(await look("blob", true)).toEqual({ isThere: true, asked: ["database"] });
  expect(await look(manifest, true)).toEqual({ isThere: true, asked: ["database"] });
});

test("what this isolate deleted is gone for it, whatever a replica still has", async () => {
  const { look, reader, repository, manifest } = await world({ replicaIsEmpty: false });
  expect((await reader.manifests.remove(repository, manifest)).ok).toBe(true);
  expect(await look(manifest)).toEqual({ isThere: false, asked: ["database"] });
});
