import { describe, expect, it } from "vitest";
import type { ResourceInput, ResourceObject } from "../../src/resources/objects/object.ts";
import { serverSideApply } from "../../src/resources/patch/apply.ts";
import { databaseText, requestContext, secretPlatform, secureValue, statusOf, valueRows } from "./secret-fixture.ts";

const NAMESPACE = "team-a";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const context = requestContext();

let made = 0;
/** A name of its own, and a value that is found wherever it is. */
function fresh() {
  made += 1;
  return { name: `secret-${made}`, value: `s3cr3t-"${made}"-${crypto.randomUUID()}` };
}

const platform = secretPlatform();

async function create(input: ResourceInput) {
  return (await platform.storage("securevalues")).create(context, NAMESPACE, input);
}

async function change(name: string, transform: (current: ResourceObject) => ResourceInput, dryRun = false) {
  const storage = await platform.storage("securevalues");
  return storage.update(
    requestContext({ dryRun }),
    { namespace: NAMESPACE, name },
    (current) => transform(current as ResourceObject),
    { allowCreate: false },
  );
}

async function decrypt(name: string, service = "svc") {
  return (await platform.decrypter.decrypt(service, NAMESPACE, [name])).get(name);
}

/** A change of whatever there is: it insists on no version. */
const withSpec = (spec: Record<string, unknown>) => (current: ResourceObject) => ({
  ...current,
  metadata: { ...current.metadata, resourceVersion: "" },
  spec: { ...(current.spec as object), ...spec },
});

describe("a value", () => {
  it("is stored encrypted, and given to those who are listed", async () => {
    const { name, value } = fresh();
    const object = await create(secureValue(name, { value, description: "a token", decrypters: ["svc"] }));
    expect(object.spec).toEqual({ description: "a token", decrypters: ["svc"] });
    expect(statusOf(object)).toMatchObject({ version: 1, keeper: "system", externalID: expect.any(String) });
    expect(await decrypt(name)).toEqual({ ok: true, value });
    expect(await decrypt(name, "other")).toEqual({ ok: false, error: "not-authorized" });
  });

  it.each(["\uFEFFmark", "línea\n\u0000end", "𝄞".repeat(6144), "x".repeat(24_576)])(
    "comes back byte for byte",
    async (value) => {
      const { name } = fresh();
      await create(secureValue(name, { value, decrypters: ["svc"] }));
      expect(await decrypt(name)).toEqual({ ok: true, value });
    },
  );

  it("is in no answer, row or log line, however it is written", async () => {
    const { name, value } = fresh();
    const second = `${value}-second`;
    const storage = await platform.storage("securevalues");
    const answers: unknown[] = [];
    const note = JSON.stringify({ kind: "SecureValue", metadata: { name }, spec: { value, decrypters: [] } });
    answers.push(
      await storage.create(context, NAMESPACE, {
        ...secureValue(name, { value }),
        metadata: { name, annotations: { [LAST_APPLIED]: note, other: "kept" } },
      }),
    );
    answers.push(await change(name, withSpec({ value: second })));
    answers.push(await change(name, withSpec({ value: `${second}-third` }), true));
    answers.push(
      await change(name, (current) => ({ ...current, metadata: { ...current.metadata, labels: { a: "b" } } })),
    );
    answers.push(await storage.get(context, { namespace: NAMESPACE, name }));
    for (const source of ["current", "history", "trash"] as const) {
      answers.push(await storage.list(context, { labels: [], fields: [], limit: 500, source }));
    }
    answers.push(await storage.delete(context, { namespace: NAMESPACE, name }, { propagationPolicy: "Background" }));
    const everything = [JSON.stringify(answers), await databaseText(), platform.recorded.lines.join("\n")].join("\n");
    for (const form of [
      value,
      JSON.stringify(value).slice(1, -1),
      JSON.stringify(JSON.stringify(value)).slice(3, -3),
      btoa(value),
    ]) {
      expect(everything).not.toContain(form);
    }
    expect(everything).toContain(`\\"decrypters\\":[]`);
    expect(everything).toContain(`"other":"kept"`);
  });

  it("in an annotation is refused, without quoting it", async () => {
    const { name, value } = fresh();
    const input = secureValue(name, { value });
    const error = await create({ ...input, metadata: { name, annotations: { "tool/last": `was ${value}` } } }).catch(
      String,
    );
    expect(error).toMatch(/metadata\.annotations\[tool\/last\]: Forbidden/);
    expect(error).not.toContain(value);
    expect(await valueRows(name)).toEqual([]);
  });

  it("misspelt is in no note", async () => {
    const { name, value } = fresh();
    const note = JSON.stringify({ spec: { Value: value } });
    await create({
      ...secureValue(name, { value: "other" }),
      metadata: { name, annotations: { [LAST_APPLIED]: note } },
    });
    expect(await databaseText()).not.toContain(value);
  });
});

describe("versions", () => {
  it("count up with each new value, and only with those", async () => {
    const { name, value } = fresh();
    await create(secureValue(name, { value, decrypters: ["svc"] }));
    const second = await change(name, withSpec({ value: `${value}2` }));
    expect(statusOf(second.object)).toMatchObject({ version: 2 });
    expect(await decrypt(name)).toEqual({ ok: true, value: `${value}2` });
    const same = await change(name, withSpec({ value: `${value}2` }));
    expect(same.object).toEqual(second.object);
    const described = await change(name, withSpec({ description: "more" }));
    expect(statusOf(described.object)).toMatchObject({ version: 2 });
    expect(await decrypt(name)).toEqual({ ok: true, value: `${value}2` });
    const rows = await valueRows(name);
    expect(rows.map((row) => [row.version, row.inactive_at === null])).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  it("cannot be chosen by a client", async () => {
    const { name, value } = fresh();
    const first = await create(secureValue(name, { value, decrypters: ["svc"] }));
    await change(name, withSpec({ value: `${value}2` }));
    const forged = await change(name, (current) => ({
      ...current,
      metadata: { ...current.metadata, annotations: first.metadata.annotations ?? {} },
      status: { version: 9 },
    }));
    expect(statusOf(forged.object)).toMatchObject({ version: 2 });
    expect(await decrypt(name)).toEqual({ ok: true, value: `${value}2` });
    const other = fresh();
    const annotations = first.metadata.annotations ?? {};
    await create({
      ...secureValue(other.name, { value: "mine", decrypters: ["svc"] }),
      metadata: { name: other.name, annotations },
    });
    expect(await decrypt(other.name)).toEqual({ ok: true, value: "mine" });
  });

  it("of concurrent writers: one wins, and its value is the one in use", async () => {
    const { name, value } = fresh();
    await create(secureValue(name, { value, decrypters: ["svc"] }));
    const writers = Array.from({ length: 8 }, (_, index) =>
      change(name, withSpec({ value: `${value}-${index}`, description: `${index}` })),
    );
    await Promise.all(writers);
    const storage = await platform.storage("securevalues");
    const { spec } = await storage.get(context, { namespace: NAMESPACE, name });
    const { description } = spec as { readonly description: string };
    expect(await decrypt(name)).toEqual({ ok: true, value: `${value}-${description}` });
  });

  it("of a write that is refused are not kept", async () => {
    const { name, value } = fresh();
    await create(secureValue(name, { value }));
    const stale = change(name, (current) => ({
      ...withSpec({ value: `${value}2` })(current),
      metadata: { ...current.metadata, resourceVersion: "1" },
    }));
    await expect(stale).rejects.toMatchObject({ reason: "Conflict" });
    await expect(create(secureValue(name, { value: `${value}3` }))).rejects.toMatchObject({ reason: "AlreadyExists" });
    await expect(create(secureValue("Bad Name", { value }))).rejects.toMatchObject({ reason: "Invalid" });
    await expect(change("missing", withSpec({ value }))).rejects.toMatchObject({ reason: "NotFound" });
    expect(await valueRows(name)).toHaveLength(1);
    expect(await valueRows("Bad Name")).toEqual([]);
    expect(await valueRows("missing")).toEqual([]);
  });

  it("are not made by a dry run, which tells nothing of the present value", async () => {
    const { name, value } = fresh();
    const storage = await platform.storage("securevalues");
    await storage.create(requestContext({ dryRun: true }), NAMESPACE, secureValue(name, { value }));
    expect(await valueRows(name)).toEqual([]);
    const before = await create(secureValue(name, { value }));
    const right = await change(name, withSpec({ value }), true);
    const wrong = await change(name, withSpec({ value: "wrong" }), true);
    expect(right.object).toEqual(wrong.object);
    expect(right.object).toEqual(before);
    expect(await valueRows(name)).toHaveLength(1);
  });

  it("go with their object, and a new object of the name has none of them", async () => {
    const { name, value } = fresh();
    const storage = await platform.storage("securevalues");
    await create(secureValue(name, { value, decrypters: ["svc"] }));
    const deleted = await storage.delete(context, { namespace: NAMESPACE, name }, { propagationPolicy: "Background" });
    expect(deleted.gone).toBe(true);
    expect((await valueRows(name)).every((row) => row.inactive_at !== null)).toBe(true);
    expect(await decrypt(name)).toEqual({ ok: false, error: "not-found" });
    const again = await create(secureValue(name, { value: "again", decrypters: ["svc"] }));
    expect(statusOf(again)).toMatchObject({ version: 2 });
    expect(await decrypt(name)).toEqual({ ok: true, value: "again" });
  });

  it("are made under a generated name", async () => {
    const { value } = fresh();
    const object = await create({
      ...secureValue("", { value, decrypters: ["svc"] }),
      metadata: { generateName: "made-" },
    });
    expect(object.metadata.name).toMatch(/^made-.{5}$/);
    expect(await decrypt(object.metadata.name)).toEqual({ ok: true, value });
  });
});

describe("server-side apply", () => {
  async function apply(name: string, spec: Record<string, unknown>, manager: string, force = false) {
    const served = (await platform.registry.resource("secret.entrepot.dev", "securevalues"))?.served;
    if (served === undefined) throw new Error("not served");
    const transform = (live: ResourceObject | undefined) =>
      serverSideApply({
        live,
        applied: secureValue(name, spec),
        manager,
        force,
        apiVersion: "secret.entrepot.dev/v1",
        time: new Date(Date.now() + 60_000 * (clock += 1)).toISOString(),
        node: served.schema,
      }).object;
    const storage = await platform.storage("securevalues");
    return (
      await storage.update(context, { namespace: NAMESPACE, name }, transform, { allowCreate: true, ownersGiven: true })
    ).object;
  }
  let clock = 0;

  it("owns the value without having it, and changes nothing when nothing changed", async () => {
    const { name, value } = fresh();
    const first = await apply(name, { value, decrypters: ["svc"] }, "ci");
    expect(first.metadata.managedFields?.[0]?.fieldsV1).toMatchObject({ "f:spec": { "f:value": {} } });
    expect(await apply(name, { value, decrypters: ["svc"] }, "ci")).toEqual(first);
    const next = await apply(name, { value: `${value}2`, decrypters: ["svc"] }, "ci");
    expect(statusOf(next)).toMatchObject({ version: 2 });
    expect(await decrypt(name)).toEqual({ ok: true, value: `${value}2` });
    await expect(apply(name, { value: "theirs" }, "someone")).rejects.toMatchObject({ reason: "Conflict" });
    expect(await decrypt(name)).toEqual({ ok: true, value: `${value}2` });
    const forced = await apply(name, { value: `${value}3` }, "someone", true);
    expect(statusOf(forced)).toMatchObject({ version: 3 });
    expect(`${JSON.stringify([first, next, forced])} ${await databaseText()}`).not.toContain(value.slice(-30));
  });

  it("of less than before keeps the value", async () => {
    const { name, value } = fresh();
    await apply(name, { value, decrypters: ["svc"] }, "ci");
    const less = await apply(name, { decrypters: ["svc"] }, "ci");
    expect(statusOf(less)).toMatchObject({ version: 1 });
    expect(await decrypt(name)).toEqual({ ok: true, value });
  });
});

describe("refused", () => {
  it.each([
    ["neither value nor ref", {}, "spec.value: Required value"],
    ["both", { value: "v", ref: "r" }, "spec.ref: Forbidden"],
    ["an empty value", { value: "" }, "spec.value: Invalid value: must not be empty"],
    ["a long value", { value: "x".repeat(24_577) }, "spec.value: Too long"],
    ["a value long in bytes", { value: "é".repeat(12_289) }, "spec.value: Too long"],
    ["a value of another type", { value: 123_456_789 }, "spec.value: Invalid value: must be a string"],
    ["a value that is no text", { value: "a\uD800b" }, "spec.value: Invalid value"],
    ["a ref to the system keeper", { ref: "path#field" }, "spec.ref: Forbidden"],
    ["a value for another keeper", { value: "v", keeper: "vault" }, "spec.value: Forbidden"],
    ["a service twice", { value: "v", decrypters: ["a", "a"] }, "spec.decrypters[1]: Duplicate value"],
    ["65 services", { value: "v", decrypters: Array.from({ length: 65 }, (_, i) => `s${i}`) }, "spec.decrypters"],
    ["a long description", { value: "v", description: "x".repeat(254) }, "spec.description"],
  ])("%s", async (_what, spec, message) => {
    const { name } = fresh();
    const error = await create({ ...secureValue(name, {}), spec }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: "Invalid", message: expect.stringContaining(message) as string });
    expect((error as Error).message).not.toMatch(/x{100}|123456789/);
    expect(await valueRows(name)).toEqual([]);
  });

  it("a write of the status", async () => {
    const storage = await platform.storage("securevalues");
    const update = storage.update(
      context,
      { namespace: NAMESPACE, name: "any" },
      (current) => current as ResourceObject,
      {
        subresource: "status",
        allowCreate: false,
      },
    );
    await expect(update).rejects.toMatchObject({ reason: "MethodNotAllowed" });
  });

  it("every value without SECRETS_KEY, by its name", async () => {
    const { name, value } = fresh();
    const storage = await secretPlatform({ secretsKey: undefined }).storage("securevalues");
    await expect(storage.create(context, "keyless", secureValue(name, { value }))).rejects.toMatchObject({
      reason: "ServiceUnavailable",
      message: expect.stringContaining("SECRETS_KEY") as string,
    });
    expect(await valueRows(name)).toEqual([]);
  });
});

describe("watching", () => {
  it("shows objects as reading does", async () => {
    const { name, value } = fresh();
    const object = await create(secureValue(name, { value }));
    platform.frames.push(
      { type: "ADDED", object: { ...object, spec: { value }, status: { forged: true } } },
      { type: "BOOKMARK", resourceVersion: "7" },
    );
    const storage = await platform.storage("securevalues");
    const seen = [];
    const query = { labels: [], fields: [], since: 0, signal: AbortSignal.timeout(1000) };
    for await (const frame of storage.watch(context, query)) seen.push(frame);
    expect(seen).toEqual([
      { type: "ADDED", object: { ...object, spec: {} } },
      { type: "BOOKMARK", resourceVersion: "7" },
    ]);
  });
});
