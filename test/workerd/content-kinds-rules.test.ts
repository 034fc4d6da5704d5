import { beforeAll, describe, expect, it } from "vitest";
import { ANONYMOUS, type Gate, type Identity, type Policy, systemIdentity } from "../../src/access/index.ts";
import { ContentListStore } from "../../src/content/content-list-store.ts";
import { Names } from "../../src/content/names.ts";
import { ReadCache } from "../../src/content/read-cache.ts";
import { TagStore } from "../../src/content/tag-store.ts";
import { contentGroup } from "../../src/distribution/index.ts";
import type { Database } from "../../src/platform/index.ts";
import type { DeleteOptions, RequestContext, Storage } from "../../src/resources/index.ts";
import { bindings, request } from "./bindings.ts";
import { type PushedImage, pushImage } from "./content-images.ts";
import { createKernel, repositoryName } from "./fixture.ts";

const kernel = createKernel();
let image: PushedImage;

beforeAll(async () => {
  image = await pushImage(kernel, "team-b/app", ["v1"]);
});

describe("what may not be done", () => {
  const NO = { allowed: false, reason: "none" };
  const context: RequestContext = {
    identity: systemIdentity("eve"),
    dryRun: false,
    fieldManager: "test",
    warn: () => {},
  };
  const options: DeleteOptions = { propagationPolicy: "Background" };

  function group(readOnly: boolean, gate: Partial<Gate> = {}) {
    const names = new Names(new TagStore(bindings.DB), new ReadCache(Date.now, 0, 0));
    return contentGroup({
      gate: { allows: () => true, ...gate } as Gate,
      lists: new ContentListStore(bindings.DB),
      names,
      manifests: kernel.manifests,
      clock: Date.now,
      readOnly,
    });
  }

  function storageOf(plural: string, readOnly: boolean): Storage {
    const kind = group(readOnly).kinds.find(({ declaration }) => declaration.plural === plural);
    return kind?.storage?.() ?? {};
  }

  it.each([
    ["tags", "app:v1"],
    ["manifests", () => `app@${image.digest}`],
  ] as const)("in read-only mode, %s are not deleted", async (plural, name) => {
    const text = typeof name === "string" ? name : name();
    const removal = storageOf(plural, true).delete?.(context, { namespace: "team-b", name: text }, options);
    await expect(removal).rejects.toMatchObject({ reason: "Forbidden" });
    expect((await request("/v2/team-b/app/manifests/v1")).status).toBe(200);
  });

  it("is what neither the gate nor a role allows", async () => {
    const asked: unknown[] = [];
    const allows: Gate["allows"] = (_identity, verb, repository) => {
      asked.push([verb, repository]);
      return verb === "pull";
    };
    const mayIn: Policy["mayIn"] = (_request, namespace) => namespace !== "team-b";
    const eve: Identity = { ...context.identity, policy: { ...context.identity.policy, decide: () => NO, mayIn } };
    const { authorizer } = group(false, { allows });
    const attributes = { group: "", version: "v1", subresource: "", path: "" };
    const ask = async (verb: string, resource: string, name: string, more: object = {}) => {
      const request = { ...attributes, identity: eve, verb, resource, namespace: "team-a", name, ...more };
      return (await authorizer?.(request))?.decision;
    };
    expect(await ask("get", "tags", "app:v1")).toBe("allow");
    expect(await ask("delete", "tags", "app:v1")).toBe("no-opinion");
    expect(await ask("get", "manifests", `app@${image.digest}`)).toBe("allow");
    expect(asked).toEqual([
      ["pull", "team-a/app"],
      ["delete", "team-a/app"],
      ["pull", "team-a/app"],
    ]);
    for (const verb of ["watch", "create", "update", "patch", "deletecollection"])
      expect(await ask(verb, "tags", "app:v1")).toBe("no-opinion");
    expect(await ask("get", "tags", "app:v1", { subresource: "status" })).toBe("no-opinion");
    expect(await ask("get", "tags", "../other:v1")).toBe("no-opinion");
    expect(await ask("list", "repositories", "")).toBe("allow");
    expect(await ask("list", "repositories", "", { namespace: "team-b" })).toBe("no-opinion");
    expect(await ask("list", "repositories", "", { namespace: "" })).toBe("allow");
    const nobody: Identity = { ...eve, name: ANONYMOUS, groups: [] };
    expect(await ask("list", "repositories", "", { namespace: "", identity: nobody })).toBe("no-opinion");
  });
});

describe("the statements of a page", () => {
  it("seek in indexes and sort nothing", async () => {
    const plans: string[] = [];
    const database: Database = {
      batch: (statements) => bindings.DB.batch(statements),
      prepare: (sql) => {
        plans.push(sql);
        return bindings.DB.prepare(sql);
      },
    };
    const lists = new ContentListStore(database);
    const after = { repository: repositoryName("team-a/app"), item: "v1" };
    for (const filter of [{}, { namespace: "team-a" }, { repository: "team-a/app", tag: "v2" }]) {
      await lists.tags({ filter, after, limit: 10 });
      await lists.manifests({ filter, after, limit: 10 });
      await lists.repositories({ filter, after, limit: 10 });
    }
    expect(plans.length).toBeGreaterThan(9);
    for (const sql of plans) {
      const parameters = Array.from({ length: sql.split("?").length - 1 }, () => "x");
      const { results } = await bindings.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .bind(...parameters)
        .all<{ detail: string; parent: number }>();
      const top = results.filter(({ parent }) => parent === 0).map(({ detail }) => detail);
      expect(top.join("\n")).not.toMatch(/TEMP B-TREE/);
      expect(top.filter((detail) => detail.startsWith("SCAN")).length).toBeLessThanOrEqual(1);
    }
  });
});
