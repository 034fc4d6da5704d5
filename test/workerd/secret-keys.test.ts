import { describe, expect, it, vi } from "vitest";
import type { ResourceObject } from "../../src/resources/objects/object.ts";
import { ResourceStore } from "../../src/resources/storage/resource-store.ts";
import { bindings } from "./bindings.ts";
import { HOUR, masterKey, requestContext, secretPlatform, secureValue, valueRows } from "./secret-fixture.ts";

const context = requestContext();

type Platform = ReturnType<typeof secretPlatform>;

async function put(platform: Platform, namespace: string, name: string, value: string): Promise<void> {
  const storage = await platform.storage("securevalues");
  await storage.create(context, namespace, secureValue(name, { value, decrypters: ["svc"] }));
}

async function decrypt(platform: Platform, namespace: string, name: string) {
  return (await platform.decrypter.decrypt("svc", namespace, [name])).get(name);
}

async function replace(platform: Platform, namespace: string, name: string, value: string): Promise<void> {
  const storage = await platform.storage("securevalues");
  const transform = (current: ResourceObject | undefined) => ({
    ...(current as ResourceObject),
    spec: { value, decrypters: ["svc"] },
  });
  await storage.update(context, { namespace, name }, transform, { allowCreate: false });
}

async function rotate(platform: Platform, namespace: string, name = "system") {
  const keepers = await platform.registry.resource("secret.entrepot.dev", "keepers");
  const rotate = keepers?.connecters.find((connecter) => connecter.subresource === "rotate");
  const request = new Request("http://registry/", { method: "POST" });
  const response = await rotate?.connect(context, { namespace, name, path: "" }, request);
  return response?.json();
}

async function dataKeys(namespace: string) {
  const { results } = await bindings.DB.prepare(
    "SELECT id, master_key, wrapped, retired_at FROM secret_data_keys WHERE namespace = ?1 ORDER BY id",
  )
    .bind(namespace)
    .all<{ id: string; master_key: string; wrapped: string; retired_at: number | null }>();
  return results;
}

describe("encryption", () => {
  it("seals a value for its place: a row moved or changed does not open", async () => {
    const platform = secretPlatform();
    await put(platform, "sealed", "mine", "my value");
    await put(platform, "sealed", "theirs", "their value");
    const [theirs] = await valueRows("theirs");
    await bindings.DB.prepare("UPDATE secret_values SET ciphertext = ?1 WHERE name = 'mine'")
      .bind(theirs?.ciphertext)
      .run();
    expect(await decrypt(platform, "sealed", "mine")).toEqual({ ok: false, error: "failed" });
    expect(platform.recorded.lines.join()).toContain("secret.decrypt-failed");
  });

  it("uses a key for each namespace, and a nonce for each value", async () => {
    const platform = secretPlatform();
    await Promise.all(["a", "b", "c", "d"].map((name) => put(platform, "one", `key-${name}`, "same")));
    await put(platform, "two", "key-e", "same");
    expect(await dataKeys("one")).toHaveLength(1);
    const rows = (await Promise.all(["a", "b", "c", "d", "e"].map((name) => valueRows(`key-${name}`)))).flat();
    expect(new Set(rows.map((row) => row.ciphertext)).size).toBe(5);
    expect(new Set(rows.map((row) => row.data_key)).size).toBe(2);
  });
});

describe("rotation of a namespace's data key", () => {
  it("re-encrypts in steps, while everything stays readable", async () => {
    const platform = secretPlatform();
    const names = Array.from({ length: 120 }, (_, index) => `rotated-${index}`);
    for (const name of names) await put(platform, "rotation", name, `value of ${name}`);
    const [before] = await dataKeys("rotation");
    const first = await rotate(platform, "rotation");
    expect(first).toEqual({ reencrypted: 50, failed: 0, remaining: 70 });
    const other = secretPlatform();
    for (const name of ["rotated-0", "rotated-119"]) {
      expect(await decrypt(other, "rotation", name)).toEqual({ ok: true, value: `value of ${name}` });
    }
    let cursor = await platform.maintenance.reencrypt();
    let steps = 1;
    for (; cursor !== undefined; steps += 1) cursor = await platform.maintenance.reencrypt(cursor);
    expect(steps).toBe(2);
    const keys = await dataKeys("rotation");
    expect(keys).toHaveLength(1);
    expect(keys[0]?.id).not.toBe(before?.id);
    expect(await decrypt(secretPlatform(), "rotation", "rotated-119")).toEqual({
      ok: true,
      value: "value of rotated-119",
    });
    expect(await platform.maintenance.reencrypt()).toBeUndefined();
  });

  it("does not lose a value that is written meanwhile", async () => {
    const platform = secretPlatform();
    await put(platform, "busy", "before", "v0");
    const writes = Array.from({ length: 6 }, (_, index) => put(platform, "busy", `busy-${index}`, `v${index}`));
    await Promise.all([...writes, rotate(platform, "busy"), rotate(secretPlatform(), "busy")]);
    await platform.maintenance.reencrypt();
    for (let index = 0; index < 6; index += 1) {
      expect(await decrypt(secretPlatform(), "busy", `busy-${index}`)).toEqual({ ok: true, value: `v${index}` });
    }
    expect((await dataKeys("busy")).filter((key) => key.retired_at === null)).toHaveLength(1);
  });

  it("passes over what does not open", async () => {
    const platform = secretPlatform();
    await put(platform, "broken", "broken-1", "v1");
    await put(platform, "broken", "broken-2", "v2");
    await bindings.DB.prepare("UPDATE secret_values SET ciphertext = 'AAAA' WHERE name = 'broken-1'").run();
    expect(await rotate(platform, "broken")).toEqual({ reencrypted: 1, failed: 1, remaining: 1 });
    expect(await dataKeys("broken")).toHaveLength(2);
    expect(await decrypt(platform, "broken", "broken-2")).toEqual({ ok: true, value: "v2" });
    expect(platform.recorded.lines.join()).toContain("secret.reencrypt-failed");
    await bindings.DB.prepare("DELETE FROM secret_values WHERE name = 'broken-1'").run();
  });

  it("is of the keeper `system` only", async () => {
    await expect(rotate(secretPlatform(), "rotation", "vault")).rejects.toMatchObject({ reason: "NotFound" });
  });
});

describe("SECRETS_KEY", () => {
  it("of several keys encrypts with the first; the others decrypt until data keys are under the first", async () => {
    const [old, next] = [masterKey("old"), masterKey("next")];
    await put(secretPlatform({ secretsKey: old }), "master", "master-1", "v1");
    const both = secretPlatform({ secretsKey: `${next},${old}` });
    expect(await decrypt(both, "master", "master-1")).toEqual({ ok: true, value: "v1" });
    let cursor = await both.maintenance.rewrap();
    while (cursor !== undefined) cursor = await both.maintenance.rewrap(cursor);
    expect((await dataKeys("master")).map((key) => key.master_key)).toEqual(["next"]);
    const alone = secretPlatform({ secretsKey: next });
    expect(await decrypt(alone, "master", "master-1")).toEqual({ ok: true, value: "v1" });
  });

  it("may lose or change the name of a key", async () => {
    const named = masterKey("named");
    await put(secretPlatform({ secretsKey: named }), "names", "names-1", "v1");
    const plain = secretPlatform({ secretsKey: named.slice("named:".length) });
    expect(await decrypt(plain, "names", "names-1")).toEqual({ ok: true, value: "v1" });
  });

  it("that was lost fails reading and writing, until the data key is rotated", async () => {
    await put(secretPlatform({ secretsKey: masterKey("lost") }), "lost", "lost-1", "v1");
    const platform = secretPlatform({ secretsKey: masterKey("found") });
    expect(await decrypt(platform, "lost", "lost-1")).toEqual({ ok: false, error: "failed" });
    await expect(put(platform, "lost", "lost-2", "v2")).rejects.toMatchObject({
      reason: "ServiceUnavailable",
      message: expect.stringMatching(/SECRETS_KEY.*"lost"/) as string,
    });
    await rotate(platform, "lost");
    await put(platform, "lost", "lost-2", "v2");
    expect(await decrypt(platform, "lost", "lost-2")).toEqual({ ok: true, value: "v2" });
  });
});

describe("collection", () => {
  const start = Date.now();

  async function collect(now: number): Promise<void> {
    const { maintenance } = secretPlatform({ now: () => now });
    while (await maintenance.collect());
  }

  it("deletes earlier versions after the grace, and keeps the present one", async () => {
    const platform = secretPlatform({ now: () => start });
    await put(platform, "garbage", "versions", "v1");
    await replace(platform, "garbage", "versions", "v2");
    await replace(platform, "garbage", "versions", "v3");
    await collect(start + HOUR / 2);
    expect(await valueRows("versions")).toHaveLength(3);
    await collect(start + 2 * HOUR);
    expect((await valueRows("versions")).map((row) => row.version)).toEqual([3]);
    expect(await decrypt(platform, "garbage", "versions")).toEqual({ ok: true, value: "v3" });
  });

  it("deletes what was deleted", async () => {
    const platform = secretPlatform({ now: () => start });
    await put(platform, "garbage", "deleted", "v1");
    const storage = await platform.storage("securevalues");
    const page = { namespace: "garbage", labels: [], fields: [], limit: 100, source: "current" } as const;
    const fields = [{ path: "metadata.name", operator: "=", value: "deleted" }] as const;
    await storage.deleteCollection(context, { ...page, fields }, { propagationPolicy: "Background" });
    expect((await valueRows("deleted"))[0]?.inactive_at).toBe(start);
    await collect(start + 2 * HOUR);
    expect(await valueRows("deleted")).toEqual([]);
  });

  it("keeps what an object names though it is marked, and finds what no object names any more", async () => {
    const platform = secretPlatform({ now: () => start });
    await put(platform, "garbage", "marked", "v1");
    await put(platform, "garbage", "orphan", "v1");
    await bindings.DB.prepare("UPDATE secret_values SET inactive_at = 1 WHERE name = 'marked'").run();
    await bindings.DB.prepare("DELETE FROM resources WHERE name = 'orphan'").run();
    expect((await valueRows("orphan"))[0]?.inactive_at).toBe(start);
    await collect(start + 2 * HOUR);
    expect(await valueRows("marked")).toHaveLength(1);
    expect(await valueRows("orphan")).toEqual([]);
  });

  it("finds a version that no object came to name", async () => {
    const platform = secretPlatform({ now: () => start });
    await put(platform, "garbage", "lost", "v1");
    const versions = async () => (await valueRows("lost")).map((row) => [row.version, row.inactive_at]);
    vi.spyOn(ResourceStore.prototype, "write").mockRejectedValueOnce(new Error("gone"));
    await expect(replace(platform, "garbage", "lost", "v2")).rejects.toThrow("gone");
    expect(await versions()).toEqual([
      [1, null],
      [2, start],
    ]);
    await collect(start + HOUR / 2);
    expect(await versions()).toHaveLength(2);
    await collect(start + 2 * HOUR);
    expect(await versions()).toEqual([[1, null]]);
  });
});

describe("the audit", () => {
  it("has every attempt, and no value", async () => {
    const platform = secretPlatform({ now: () => 1000 });
    await put(platform, "audit", "audited", "the value itself");
    await platform.decrypter.decrypt("svc", "audit", ["audited", "missing", "audited"]);
    await platform.decrypter.decrypt("intruder", "audit", ["audited"]);
    await platform.decrypter.decrypt("svc", "elsewhere", ["audited"]);
    const { results } = await bindings.DB.prepare(
      "SELECT occurred_at, service, namespace, name, version, outcome FROM secret_audit WHERE occurred_at = 1000 ORDER BY id",
    ).all();
    expect(results.map((row) => Object.values(row))).toEqual([
      [1000, "svc", "audit", "audited", 1, "ok"],
      [1000, "svc", "audit", "missing", null, "not-found"],
      [1000, "intruder", "audit", "audited", 1, "not-authorized"],
      [1000, "svc", "elsewhere", "audited", null, "not-found"],
    ]);
    const values = await platform.registry.resource("secret.entrepot.dev", "securevalues");
    const audit = values?.connecters.find((connecter) => connecter.subresource === "audit");
    const target = { namespace: "audit", name: "audited", path: "" };
    expect(await (await audit?.connect(context, target, new Request("http://registry/")))?.json()).toEqual({
      attempts: [
        { time: "1970-01-01T00:00:01.000Z", service: "intruder", version: 1, outcome: "not-authorized" },
        { time: "1970-01-01T00:00:01.000Z", service: "svc", version: 1, outcome: "ok" },
      ],
    });
    expect(await platform.maintenance.pruneAudit(1001, 3)).toBe(3);
    expect(await platform.maintenance.pruneAudit(1001, 3)).toBe(1);
  });
});

describe("keepers", () => {
  const seen: { readonly url: string; readonly headers: Headers }[] = [];
  const platform = secretPlatform({
    outbound: {
      async fetch(url, init) {
        seen.push({ url, headers: new Headers(init.headers as Record<string, string>) });
        if (!url.endsWith("/v1/secret/data/team")) return new Response(null, { status: 404 });
        return Response.json({ data: { data: { password: "from the vault" }, metadata: {} } });
      },
    },
  });
  const keeper = (name: string, spec: Record<string, unknown>) => ({
    apiVersion: "secret.entrepot.dev/v1",
    kind: "Keeper",
    metadata: { name },
    spec,
  });
  const vault = { address: "https://vault.example.com", token: { name: "vault-token" } };

  it("of another service read with a token that `system` keeps", async () => {
    const keepers = await platform.storage("keepers");
    const values = await platform.storage("securevalues");
    await keepers.create(context, "vaulted", keeper("vault", { vault }));
    const spec = { keeper: "vault", ref: "secret/data/team#password", decrypters: ["svc"] };
    const object = await values.create(context, "vaulted", secureValue("remote", spec));
    expect(object.status).toEqual({ version: 1, keeper: "vault", externalID: spec.ref });
    expect(await decrypt(platform, "vaulted", "remote")).toEqual({ ok: false, error: "failed" });
    const token = secureValue("vault-token", { value: "hvs.token", decrypters: ["secret.entrepot.dev"] });
    await values.create(context, "vaulted", token);
    expect(await decrypt(platform, "vaulted", "remote")).toEqual({ ok: true, value: "from the vault" });
    expect(seen.at(-1)?.url).toBe("https://vault.example.com/v1/secret/data/team");
    expect(seen.at(-1)?.headers.get("x-vault-token")).toBe("hvs.token");
    const moved = await values.update(
      context,
      { namespace: "vaulted", name: "remote" },
      (current) => ({ ...(current as ResourceObject), spec: { ...spec, ref: "other#field" } }),
      { allowCreate: false },
    );
    expect(moved.object.status).toMatchObject({ version: 2, externalID: "other#field" });
    expect(await decrypt(platform, "vaulted", "remote")).toEqual({ ok: false, error: "failed" });
  });

  it("are not at private addresses", async () => {
    const keepers = await platform.storage("keepers");
    const spec = { vault: { ...vault, address: "http://169.254.169.254" } };
    await expect(keepers.create(context, "vaulted", keeper("private", spec))).rejects.toMatchObject({
      reason: "Invalid",
    });
  });

  it("`system` is in every namespace, and cannot be changed", async () => {
    const keepers = await platform.storage("keepers");
    expect(await keepers.get(context, { namespace: "anywhere", name: "system" })).toMatchObject({
      metadata: { namespace: "anywhere" },
    });
    const page = { namespace: "vaulted", labels: [], fields: [], limit: 100, source: "current" } as const;
    expect((await keepers.list(context, page)).items.map((item) => item.metadata.name)).toEqual(["system", "vault"]);
    const fields = [{ path: "metadata.name", operator: "=", value: "vault" }] as const;
    expect((await keepers.list(context, { ...page, fields })).items).toHaveLength(1);
    for (const write of [
      keepers.create(context, "vaulted", keeper("system", {})),
      keepers.update(context, { namespace: "vaulted", name: "system" }, (current) => current as ResourceObject, {
        allowCreate: true,
      }),
      keepers.delete(context, { namespace: "vaulted", name: "system" }, { propagationPolicy: "Background" }),
    ]) {
      await expect(write).rejects.toMatchObject({ reason: "Forbidden" });
    }
  });
});
