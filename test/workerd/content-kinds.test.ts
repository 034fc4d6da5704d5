import { beforeAll, describe, expect, it } from "vitest";
import { request } from "./bindings.ts";
import { someBytes } from "./bytes.ts";
import { type PushedImage, pushImage } from "./content-images.ts";
import { createKernel, indexOf, pushBlob, pushManifest, repositoryName } from "./fixture.ts";

const ROOT = "/apis/content.entrepot.dev/v1";
const REPOSITORIES = ["a/z", "nginx", "default/nginx", "team-a/app", "team-a/app/web", "team-b/app"];
const TAGS = ["1.0", "_odd", "latest", "v1", "v2"];

interface ContentObject {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

interface List {
  readonly items: readonly ContentObject[];
  readonly metadata: { readonly continue?: string; readonly resourceVersion: string };
}

const kernel = createKernel();
/** What every repository of the tests holds. */
let image: PushedImage;

beforeAll(async () => {
  for (const repository of REPOSITORIES) image = await pushImage(kernel, repository, TAGS);
});

async function list(path: string, query: Readonly<Record<string, string>> = {}): Promise<List> {
  const response = await request(`${ROOT}${path}?${new URLSearchParams(query)}`);
  expect(response.status).toBe(200);
  return response.json();
}

async function names(path: string, query: Readonly<Record<string, string>> = {}): Promise<string[]> {
  return (await list(path, query)).items.map(({ metadata }) => `${metadata.namespace} ${metadata.name}`);
}

async function failure(path: string, init?: RequestInit): Promise<{ readonly code: number; readonly reason: string }> {
  const response = await request(`${ROOT}${path}`, init);
  const { code, reason } = await response.json<{ code: number; reason: string }>();
  expect(response.status).toBe(code);
  return { code, reason };
}

describe("repositories", () => {
  it("are listed by namespace and name", async () => {
    expect(await names("/repositories")).toEqual([
      "a z",
      "default default:nginx",
      "default nginx",
      "team-a app",
      "team-a app:web",
      "team-b app",
    ]);
    expect(await names("/namespaces/team-a/repositories")).toEqual(["team-a app", "team-a app:web"]);
    expect(await names("/namespaces/nobody/repositories")).toEqual([]);
  });

  it("say what they hold", async () => {
    const response = await request(`${ROOT}/namespaces/team-a/repositories/app:web`);
    const { spec } = await response.json<ContentObject>();
    expect(spec).toMatchObject({ repository: "team-a/app/web", tags: 5, manifests: 1, bytes: image.bytes });
    expect(spec["pushedAt"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it("are not those that hold no manifest", async () => {
    await pushBlob(kernel, repositoryName("empty/app"), someBytes(3, 3));
    expect(await names("/namespaces/empty/repositories")).toEqual([]);
    expect(await failure("/namespaces/empty/repositories/app")).toEqual({ code: 404, reason: "NotFound" });
  });

  it.each(["/namespaces/team-a/repositories/nothing", "/namespaces/team-a/repositories/A", "/namespaces/x/tags/a:b"])(
    "%s is not found",
    async (path) => {
      expect(await failure(path)).toEqual({ code: 404, reason: "NotFound" });
    },
  );

  it("cannot be written or watched", async () => {
    expect((await failure("/namespaces/team-a/repositories/app", { method: "DELETE" })).code).toBe(405);
    expect((await failure("/namespaces/team-a/repositories", { method: "POST", body: "{}" })).code).toBe(405);
    expect((await failure("/repositories?watch=true")).code).toBe(405);
  });
});

describe("tags", () => {
  it("say what they name", async () => {
    const { metadata, spec } = await (await request(`${ROOT}/namespaces/team-a/tags/app:v1`)).json<ContentObject>();
    expect(metadata.labels).toEqual({
      "content.entrepot.dev/repository": "app",
      "content.entrepot.dev/tag": "v1",
      "content.entrepot.dev/media-type": "application.vnd.oci.image.manifest.v1.json",
      "content.entrepot.dev/artifact-type": "application.vnd.oci.image.config.v1.json",
    });
    expect(spec).toMatchObject({ repository: "team-a/app", tag: "v1", ...image });
  });

  it.each([
    ["limit 1", "1", {}],
    ["limit 2", "2", {}],
    ["limit 7", "7", {}],
    ["a label that the database finds", "2", { labelSelector: "content.entrepot.dev/tag=v1" }],
    ["labels that are looked at row by row", "2", { labelSelector: "content.entrepot.dev/tag notin (v1,latest)" }],
    ["no label", "1", { labelSelector: "!content.entrepot.dev/tag" }],
    ["a field", "2", { fieldSelector: "spec.repository=team-a/app" }],
    ["a field that is not", "3", { fieldSelector: "spec.repository!=team-a/app" }],
    ["a name in any namespace", "1", { fieldSelector: "metadata.name=app:v1" }],
    ["both", "1", { fieldSelector: "spec.tag=v1", labelSelector: "content.entrepot.dev/repository!=app" }],
  ])("are the same page by page: %s", async (_, limit, query) => {
    const whole = await names("/tags", query);
    expect(whole.length).toBeGreaterThan(0);
    const paged: string[] = [];
    const versions = new Set<string>();
    let next: string | undefined;
    do {
      const page = await list("/tags", { ...query, limit, ...(next === undefined ? {} : { continue: next }) });
      expect(page.items.length).toBeLessThanOrEqual(Number(limit));
      paged.push(...page.items.map(({ metadata }) => `${metadata.namespace} ${metadata.name}`));
      versions.add(page.metadata.resourceVersion);
      next = page.metadata.continue;
    } while (next !== undefined);
    expect(paged).toEqual(whole);
    expect(versions.size).toBe(1);
  });

  it.each([
    [{ fieldSelector: "spec.tag=v1" }, REPOSITORIES.length],
    [{ fieldSelector: "spec.tag=v1,spec.tag=v2" }, 0],
    [{ fieldSelector: "spec.tag=v1,spec.tag!=v1" }, 0],
    [{ fieldSelector: "metadata.namespace=team-a" }, 10],
    [{ fieldSelector: "metadata.namespace=team-a,metadata.name=app:v1" }, 1],
    [{ fieldSelector: "metadata.namespace=team-a,metadata.name=nonsense" }, 0],
    [{ fieldSelector: "spec.mediaType=application/vnd.oci.image.index.v1+json" }, 0],
    [{ labelSelector: "content.entrepot.dev/repository=app" }, 10],
    [{ labelSelector: "content.entrepot.dev/repository in (app,nginx)" }, 15],
    [{ labelSelector: "content.entrepot.dev/repository=app..web" }, 5],
    [{ labelSelector: "content.entrepot.dev/tag" }, 24],
    [{ labelSelector: "other" }, 0],
  ])("are selected by %o", async (query, count) => {
    expect(await names("/tags", query)).toHaveLength(count);
  });

  it("are selected by repository label within a namespace", async () => {
    const query = { labelSelector: "content.entrepot.dev/repository=app..web" };
    expect(await names("/namespaces/team-a/tags", query)).toHaveLength(5);
    expect(await names("/namespaces/team-b/tags", query)).toEqual([]);
  });

  it("refuse what cannot be selected, continued or listed", async () => {
    expect((await failure("/tags?fieldSelector=spec.size%3D1")).code).toBe(400);
    expect((await failure("/tags?continue=x")).code).toBe(400);
    const foreign = new TextEncoder().encode(JSON.stringify({ v: 1, rv: 1, namespace: "x", name: "?" }));
    expect((await failure(`/tags?continue=${foreign.toBase64({ alphabet: "base64url" })}`)).code).toBe(400);
    expect((await failure("/tags?labelSelector=entrepot.dev/get-trash%3Dtrue")).code).toBe(400);
    expect((await failure("/tags?resourceVersion=1&resourceVersionMatch=Exact")).code).toBe(410);
  });

  it("are deleted as by /v2", async () => {
    await pushImage(kernel, "gone/app", ["v1", "v2"]);
    const dry = await request(`${ROOT}/namespaces/gone/tags/app:v1?dryRun=All`, { method: "DELETE" });
    expect(dry.status).toBe(200);
    expect((await request("/v2/gone/app/manifests/v1")).status).toBe(200);
    const deleted = await request(`${ROOT}/namespaces/gone/tags/app:v1`, { method: "DELETE" });
    expect(await deleted.json()).toMatchObject({ status: "Success", details: { name: "app:v1", kind: "tags" } });
    expect((await request("/v2/gone/app/manifests/v1")).status).toBe(404);
    expect((await request("/v2/gone/app/manifests/v2")).status).toBe(200);
    expect((await failure("/namespaces/gone/tags/app:v1", { method: "DELETE" })).code).toBe(404);
  });

  it("are kept if they are no more what the caller saw", async () => {
    const body = JSON.stringify({ preconditions: { resourceVersion: "1" } });
    const headers = { "content-type": "application/json" };
    const init = { method: "DELETE", body, headers };
    expect(await failure("/namespaces/team-b/tags/app:v1", init)).toEqual({ code: 409, reason: "Conflict" });
  });
});

describe("manifests", () => {
  it("count what an index and its images hold, each digest once", async () => {
    const repository = repositoryName("index/app");
    const first = await pushImage(kernel, "index/app", ["one"]);
    const second = await pushImage(kernel, "index/app", ["two"], { annotations: { a: "b" } });
    const body = indexOf([first.digest, second.digest] as never);
    const pushed = await pushManifest(kernel, repository, body, "all");
    if (!pushed.ok) throw new Error(pushed.error.reason);
    const path = `/namespaces/index/manifests/app@${pushed.value.digest}`;
    const { spec } = await (await request(`${ROOT}${path}`)).json<ContentObject>();
    const size = JSON.stringify(body).length;
    expect(spec).toMatchObject({ size, bytes: size + first.bytes + second.size, tags: 1 });
    const annotated = await list("/namespaces/index/manifests", { fieldSelector: `spec.digest=${second.digest}` });
    expect(annotated.items.map((item) => item.spec["annotations"])).toEqual([{ a: "b" }]);
    expect(await names("/namespaces/index/manifests")).toHaveLength(3);
  });

  it("are deleted with their tags", async () => {
    const { digest } = await pushImage(kernel, "gone/other", ["v1", "v2"]);
    const deleted = await request(`${ROOT}/namespaces/gone/manifests/other@${digest}`, { method: "DELETE" });
    expect(deleted.status).toBe(200);
    expect(await names("/namespaces/gone/tags", { fieldSelector: "spec.repository=gone/other" })).toEqual([]);
    expect((await request(`/v2/gone/other/manifests/${digest}`)).status).toBe(404);
  });

  it("leave out annotations that are too long for a list", async () => {
    await pushImage(kernel, "long/app", ["v1"], { annotations: { a: "x".repeat(9000) } });
    const { spec } = await (await request(`${ROOT}/namespaces/long/tags/app:v1`)).json<ContentObject>();
    expect(spec).not.toHaveProperty("annotations");
  });
});
