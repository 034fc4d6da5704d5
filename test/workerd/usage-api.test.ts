import { describe, expect, it } from "vitest";
import { ANONYMOUS, type Gate, type Identity, systemIdentity } from "../../src/access/index.ts";
import { ContentUsageStore } from "../../src/content/content-usage-store.ts";
import { contentUsageNumbers, usageApi, type UsageServices } from "../../src/operations/index.ts";
import type { AuthorizationAttributes } from "../../src/resources/index.ts";
import { bindings, request } from "./bindings.ts";
import { someBytes } from "./bytes.ts";
import { createKernel, imageOf, pushBlob, pushManifest, repositoryName } from "./fixture.ts";

const PATH = "/api/v1/usage";

function services(given: Partial<UsageServices> = {}): UsageServices {
  return {
    gate: gateThatLetsIn(systemIdentity("ann")),
    authorizer: () => ({ decision: "allow" }),
    usage: { read: async () => ({ collectedAt: Date.UTC(2026, 0, 2), numbers: { a: 1 } }) },
    reportFailure: () => "failure",
    ...given,
  };
}

function gateThatLetsIn(identity: Identity): Gate {
  const challenge = () => "Bearer realm";
  return { authenticate: async () => ({ ok: true, value: identity }), challenge } as unknown as Gate;
}

function gateThatRefuses(reason: "unauthenticated" | "not-configured" | "locked-out"): Gate {
  const error = { reason, ...(reason === "locked-out" ? { retryAfterSeconds: 30 } : {}) };
  return { authenticate: async () => ({ ok: false, error }), challenge: () => "Bearer realm" } as unknown as Gate;
}

const NOBODY: Identity = { ...systemIdentity(ANONYMOUS), groups: ["system:unauthenticated"] };
const NO = () => ({ decision: "no-opinion" }) as const;

function ask(given: Partial<UsageServices> = {}, method = "GET"): Promise<Response> {
  return usageApi(services(given), new Request(`http://registry${PATH}`, { method }));
}

describe("usage of content", () => {
  it("counts repositories with a manifest, and every digest once", async () => {
    const store = new ContentUsageStore(bindings.DB);
    expect(await store.count()).toEqual({ repositories: 0, manifests: 0, tags: 0, blobs: 0, bytes: 0 });
    const kernel = createKernel();
    let size = 0;
    for (const name of ["one/app", "two/app"]) {
      const repository = repositoryName(name);
      const blob = await pushBlob(kernel, repository, someBytes(100));
      const image = imageOf([blob.digest]);
      size = JSON.stringify(image).length;
      for (const tag of ["v1", "v2"]) await pushManifest(kernel, repository, image, tag);
    }
    await pushBlob(kernel, repositoryName("three/app"), someBytes(100));
    const counted = await store.count();
    expect(counted).toEqual({ repositories: 2, manifests: 2, tags: 4, blobs: 2, bytes: 100 + size });
    expect(contentUsageNumbers(counted)).toMatchObject({ "content.tags.count": 4, "content.blobs.bytes": 100 + size });
  });
});

describe("GET /api/v1/usage", () => {
  it("answers what every part of the platform counts", async () => {
    const response = await request(PATH);
    expect(response.status).toBe(200);
    const { collectedAt, numbers } = await response.json<{ collectedAt: string; numbers: Record<string, number> }>();
    expect(Date.parse(collectedAt)).toBeGreaterThan(Date.now() - 60_000);
    expect(numbers).toMatchObject({ "content.repositories.count": 2, "content.tags.count": 4 });
    // The tables alone.
    expect(numbers["database.bytes"]).toBeGreaterThan(100_000);
  });

  it("has the time and the numbers of the last collection", async () => {
    const response = await ask();
    expect(await response.json()).toEqual({ collectedAt: "2026-01-02T00:00:00.000Z", numbers: { a: 1 } });
    expect((await ask({}, "HEAD")).status).toBe(200);
  });

  it.each([
    ["whoever is not known", { gate: gateThatRefuses("unauthenticated") }, 401],
    ["whoever tried too often", { gate: gateThatRefuses("locked-out") }, 429],
    ["nobody in particular", { gate: gateThatLetsIn(NOBODY), authorizer: NO }, 401],
    ["everyone, before there are credentials", { gate: gateThatRefuses("not-configured") }, 503],
    ["whoever may not", { authorizer: NO }, 403],
    ["whoever is denied", { authorizer: () => ({ decision: "deny", reason: "no" }) as const }, 403],
    ["no one, if reading fails", { usage: { read: async () => Promise.reject(new Error("no")) } }, 500],
  ])("refuses %s", async (_, given, status) => {
    const response = await ask(given);
    expect(response.status).toBe(status);
    expect(response.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer realm" : null);
    expect(response.headers.get("retry-after")).toBe(status === 429 ? "30" : null);
    const body = await response.json<{ error: unknown; details?: unknown }>();
    expect(typeof body.error).toBe("string");
    expect(Object.keys(body).every((key) => key === "error" || key === "details")).toBe(true);
  });

  it("takes GET only", async () => {
    const response = await ask({}, "POST");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });

  it.each(["usage", ""])("is a right on the resource or on the path: %j", async (right) => {
    const seen: AuthorizationAttributes[] = [];
    const response = await ask({
      authorizer: (attributes) => {
        seen.push(attributes);
        return { decision: attributes.resource === right ? "allow" : "no-opinion" };
      },
    });
    expect(response.status).toBe(200);
    expect(seen.at(-1)).toMatchObject({ verb: "get", resource: right, path: PATH, identity: { name: "ann" } });
  });
});
