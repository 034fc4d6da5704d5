import { applyD1Migrations, reset } from "cloudflare:test";
import { expect, it } from "vitest";
import { bindings } from "./bindings.ts";
import { someBytes } from "./bytes.ts";
import { createKernel, GRACE, imageOf, pushBlob, pushManifest, repositoryName } from "./fixture.ts";
import { exampleTasks } from "./resources/fixture.ts";

const { DB, TEST_MIGRATIONS } = bindings;

async function rows(sql: string): Promise<unknown[]> {
  return (await DB.prepare(sql).all()).results;
}

/** Whether the counters say what a look at all rows says. */
async function expectTrue(): Promise<void> {
  const kind = "api_group, resource, namespace";
  expect(await rows(`SELECT ${kind}, total FROM resource_counts ORDER BY ${kind}`)).toEqual(
    await rows(`SELECT ${kind}, count(*) AS total FROM resources GROUP BY ${kind} ORDER BY ${kind}`),
  );
  expect(await rows("SELECT uid FROM resource_owners_gone ORDER BY uid")).toEqual(
    await rows(`SELECT DISTINCT owner_uid AS uid FROM resource_owners
                WHERE owner_uid NOT IN (SELECT uid FROM resources) ORDER BY owner_uid`),
  );
  expect(await rows("SELECT repositories, manifests, tags, blobs, bytes FROM content_counts")).toEqual(
    await rows(`SELECT (SELECT count(DISTINCT repository_id) FROM manifests) AS repositories,
      (SELECT count(*) FROM manifests) AS manifests, (SELECT count(*) FROM tags) AS tags,
      (SELECT count(*) FROM blobs) AS blobs, (SELECT coalesce(sum(size), 0) FROM blobs) AS bytes`),
  );
}

it("objects are counted, and owners that are gone are known, as they come and go", async () => {
  const tasks = await exampleTasks();
  const owner = await tasks.create("owner");
  const reference = { apiVersion: `${tasks.group}/v1`, kind: "Task", name: "owner", uid: owner.metadata.uid };
  const owned = { metadata: { ownerReferences: [reference] } };
  await tasks.create("one", owned);
  await tasks.create("two", owned);
  await tasks.edit("two", (current) => ({ ...current, spec: { count: 2 } }));
  await expectTrue();
  await tasks.remove("owner");
  const gone = [{ uid: owner.metadata.uid }];
  expect(await rows("SELECT uid FROM resource_owners_gone")).toEqual(gone);
  await expectTrue();
  await tasks.remove("one");
  expect(await rows("SELECT uid FROM resource_owners_gone")).toEqual(gone);
  await expectTrue();
  await tasks.settle();
  expect(await tasks.names()).toEqual([]);
  expect(await rows("SELECT * FROM resource_counts")).toEqual([]);
  expect(await rows("SELECT * FROM resource_owners_gone")).toEqual([]);
});

it("owners that come after what they own are not gone any more", async () => {
  const object = `'{"metadata":{}}'`;
  const add = (name: string) =>
    DB.prepare(
      `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
       VALUES ('g', 'r', 'n', ?1, ?1, 1, ${object})`,
    ).bind(name);
  await DB.batch([add("child"), DB.prepare("INSERT INTO resource_owners (owner_uid, uid) VALUES ('late', 'child')")]);
  expect(await rows("SELECT uid FROM resource_owners_gone")).toEqual([{ uid: "late" }]);
  await add("late").run();
  expect(await rows("SELECT uid FROM resource_owners_gone")).toEqual([]);
  await DB.prepare("DELETE FROM resources WHERE api_group = 'g'").run();
  await expectTrue();
});

it("content is counted as it is pushed, tagged anew, deleted and collected", async () => {
  const kernel = createKernel();
  for (const name of ["one/app", "two/app"]) {
    const repository = repositoryName(name);
    const blobs = await Promise.all([1, 2].map((seed) => pushBlob(kernel, repository, someBytes(100, seed))));
    for (const { digest } of blobs) await pushManifest(kernel, repository, imageOf([digest]), "latest");
    await pushManifest(kernel, repository, imageOf([]), "latest");
  }
  await expectTrue();
  await DB.prepare("DELETE FROM manifests WHERE digest IN (SELECT digest FROM tags)").run();
  await expectTrue();
  await DB.prepare("DELETE FROM manifests").run();
  expect(await rows("SELECT repositories, manifests, tags FROM content_counts")).toEqual([
    { repositories: 0, manifests: 0, tags: 0 },
  ]);
  await DB.batch([
    DB.prepare("UPDATE repository_blobs SET orphaned_at = 0"),
    DB.prepare("UPDATE blobs SET condemned_at = 0"),
  ]);
  for (let round = 0; round < 3; round += 1) {
    kernel.time.now += GRACE + 1;
    await kernel.collector.sweep();
  }
  expect(await rows("SELECT blobs, bytes FROM content_counts")).toEqual([{ blobs: 0, bytes: 0 }]);
  await expectTrue();
});

it("what was there before the counters is counted", async () => {
  await reset();
  const counters = TEST_MIGRATIONS.findIndex(({ name }) => name.endsWith("_counters.sql"));
  await applyD1Migrations(DB, TEST_MIGRATIONS.slice(0, counters));
  const digest = `sha256:${"0".repeat(64)}`;
  for (const sql of [
    `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
     VALUES ('g', 'r', 'n', 'a', 'a', 1, '{}'), ('g', 'r', 'n', 'b', 'b', 2, '{}'), ('g', 'r', 'm', 'c', 'c', 3, '{}')`,
    "INSERT INTO resource_owners (owner_uid, uid) VALUES ('a', 'b'), ('gone', 'b'), ('gone', 'c')",
    "INSERT INTO repositories (name, namespace, created_at) VALUES ('one/app', 'one', 0), ('two/app', 'two', 0)",
    `INSERT INTO blobs (digest, size, storage_key, created_at) VALUES ('${digest}', 7, 'k', 0)`,
    `INSERT INTO manifests (repository_id, digest, media_type, pushed_at) VALUES (1, '${digest}', 'm', 0)`,
    `INSERT INTO tags (repository_id, name, digest, updated_at) VALUES (1, 'a', '${digest}', 0), (1, 'b', '${digest}', 0)`,
  ]) {
    await DB.prepare(sql).run();
  }
  await applyD1Migrations(DB, TEST_MIGRATIONS);
  expect(await rows("SELECT uid FROM resource_owners_gone")).toEqual([{ uid: "gone" }]);
  expect(await rows("SELECT * FROM content_counts")).toEqual([
    { id: 1, repositories: 1, manifests: 1, tags: 2, blobs: 1, bytes: 7 },
  ]);
  await expectTrue();
});
