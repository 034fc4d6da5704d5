import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ANONYMOUS } from "../../../src/access/index.ts";
import { createContent } from "../../../src/content/index.ts";
import { R2BlobStore } from "../../../src/content/r2-blob-store.ts";
import { distribution } from "../../../src/distribution/index.ts";
import { InstanceStore, parseConfig } from "../../../src/platform/index.ts";
import { bindings, retries } from "../bindings.ts";
import { someBytes } from "../bytes.ts";
import { pushImage } from "../content-images.ts";
import { createKernel, imageOf, pushBlob, quietLog, repositoryName } from "../fixture.ts";
import { as, grant, listAudit, repositoriesRule, type World, worldGate } from "./gate-fixture.ts";

const ALL = ["pull", "push", "delete"];
const world: World = {
  grants: {
    owner: [grant([repositoriesRule(ALL)])],
    reader: [grant([repositoriesRule(["pull"])], "private")],
    pusher: [grant([repositoriesRule(["pull", "push"], ["mine/*"])])],
    nobody: [],
  },
  publicNamespaces: new Set(["open"]),
  tokens: {
    "reader-other": { name: "reader", scope: [{ type: "repository", name: "private/other", actions: ["pull"] }] },
    "reader-app": { name: "reader", scope: [{ type: "repository", name: "private/app", actions: ["pull", "push"] }] },
    anonymous: { name: ANONYMOUS, scope: [{ type: "repository", name: "open/app", actions: ["pull"] }] },
  },
  generation: 1,
};
const { entries, audit } = listAudit();
const kernel = createKernel();
const content = createContent({
  config: parseConfig({}),
  database: bindings.DB,
  store: new R2BlobStore(bindings.BLOBS, retries),
  sessions: bindings.UPLOAD_SESSIONS,
  instance: new InstanceStore(bindings.DB, undefined),
  retries,
  edge: undefined,
  clock: Date.now,
  log: quietLog,
  background: (work) => void work,
});
const gate = worldGate(world);
let secret: { readonly digest: string };

function send(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Response> {
  const services = {
    ...content,
    gate,
    audit,
    auditReads: false,
    reportFailure: () => "failure",
    readOnly: false,
    chunkMinLength: 1,
    openUploads: 1000,
  };
  const init = body === undefined ? { method, headers } : { method, headers, body };
  return distribution(services, new Request(`http://registry${path}`, init));
}

/** Everything of an answer that a client sees. */
async function whole(response: Response): Promise<unknown> {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

beforeAll(async () => {
  for (const name of ["private/app", "open/app", "mine/app"]) await pushImage(kernel, name, ["v1"]);
  secret = await pushBlob(kernel, repositoryName("private/app"), someBytes(64, 64));
});

beforeEach(() => {
  entries.length = 0;
});

describe("GET /v2/", () => {
  it.each([
    ["no credential", {}, 401],
    ["a user", as("nobody"), 200],
    ["a wrong password", { authorization: `Basic ${btoa("owner:wrong")}` }, 401],
    ["a wrong token", bearer("no-such"), 401],
    ["an anonymous token", bearer("anonymous"), 200],
    ["a locked account", as("locked"), 429],
  ])("with %s", async (_, headers, status) => {
    const response = await send("GET", "/v2/", headers);
    expect(response.status).toBe(status);
    const challenge = status === 401 ? /^Bearer realm="http:\/\/registry\/auth\/token",service="entrepot"/ : /^$/;
    expect(response.headers.get("www-authenticate") ?? "").toMatch(challenge);
    expect(response.headers.get("retry-after")).toBe(status === 429 ? "30" : null);
  });
});

describe("a refusal", () => {
  const pull = "/v2/private/app/manifests/v1";
  const UPLOADS = "/v2/private/app/blobs/uploads/";

  it.each([
    ["GET", pull, "repository:private/app:pull"],
    ["PUT", pull, "repository:private/app:pull,push"],
    ["DELETE", pull, "repository:private/app:delete"],
    ["GET", "/v2/private/app/tags/list", "repository:private/app:pull"],
    ["POST", UPLOADS, "repository:private/app:pull,push"],
    ["POST", `${UPLOADS}?mount=sha256:0&from=open/app`, "repository:private/app:pull,push repository:open/app:pull"],
    ["POST", `${UPLOADS}?mount=sha256:0&from=%22,x=%22`, "repository:private/app:pull,push"],
    ["PATCH", `${UPLOADS}1-2`, "repository:private/app:pull,push"],
    ["GET", "/v2/_catalog", "registry:catalog:*"],
  ])("of nobody says what is needed: %s %s", async (method, path, scope) => {
    const response = await send(method, path);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe(
      `Bearer realm="http://registry/auth/token",service="entrepot",scope="${scope}"`,
    );
    const { errors } = await response.json<{ errors: { code: string; detail: unknown[] }[] }>();
    expect(errors[0]?.code).toBe("UNAUTHORIZED");
    const [type, name, actions = ""] = (scope.split(" ")[0] ?? "").split(":");
    expect(errors[0]?.detail.slice(0, actions.split(",").length)).toEqual(
      actions.split(",").map((Action) => ({ Type: type, Name: name, Action })),
    );
  });

  it.each([
    ["a token for another repository", "reader-other", "GET", 401],
    ["an anonymous token", "anonymous", "GET", 401],
    ["a token that says more than its owner may", "reader-app", "PUT", 403],
  ])("of %s", async (_, token, method, status) => {
    const response = await send(method, pull, bearer(token));
    expect(response.status).toBe(status);
    if (status === 401) expect(response.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
    expect((await send("GET", pull, bearer("reader-app"))).status).toBe(200);
  });

  it("of an expired token says for what to get the next", async () => {
    const response = await send("PATCH", `${UPLOADS}1-2`, bearer("expired"));
    expect(response.headers.get("www-authenticate")).toContain(
      'scope="repository:private/app:pull,push",error="invalid_token"',
    );
  });

  it.each([
    ["nobody", {}],
    ["a user without roles", as("nobody")],
    ["a user of another namespace", as("pusher")],
    ["a token for something else", bearer("anonymous")],
  ])("is the same for what is there and what is not: %s", async (_, headers) => {
    const digest = secret.digest;
    const shapes = [
      ["GET", "manifests/v1"],
      ["HEAD", "manifests/v1"],
      ["PUT", "manifests/v1"],
      ["DELETE", "manifests/v1"],
      ["GET", `blobs/${digest}`],
      ["HEAD", `blobs/${digest}`],
      ["DELETE", `blobs/${digest}`],
      ["GET", "tags/list"],
      ["GET", `referrers/${digest}`],
      ["POST", "blobs/uploads/"],
      ["POST", `blobs/uploads/?mount=${digest}&from=mine/app`],
      ["GET", "blobs/uploads/1-2"],
    ] as const;
    for (const [method, rest] of shapes) {
      const there = await whole(await send(method, `/v2/private/app/${rest}`, headers));
      const absent = await whole(await send(method, `/v2/private/nix/${rest}`, headers));
      expect(JSON.stringify(there).replaceAll("private/app", "private/nix")).toBe(JSON.stringify(absent));
      expect([401, 403]).toContain((there as { status: number }).status);
    }
  });

  it("is told to the audit, with the reason", async () => {
    await send("PUT", pull, as("reader"), "{}");
    await send("GET", pull, bearer("reader-other"));
    await send("GET", "/v2/mine/app/manifests/v1", bearer("reader-other"));
    expect(entries).toMatchObject([
      {
        verb: "push",
        resource: "repositories",
        namespace: "private",
        name: "private/app",
        allowed: false,
        status: 403,
      },
      { verb: "pull", name: "private/app", allowed: false, status: 401, reason: "scope" },
      { verb: "pull", name: "mine/app", allowed: false, status: 403, reason: "no-rule" },
    ]);
  });
});

describe("a public namespace", () => {
  it("is pulled from by anyone, and pushed to by none", async () => {
    expect((await send("GET", "/v2/open/app/manifests/v1")).status).toBe(200);
    expect((await send("GET", "/v2/open/app/manifests/v1", as("nobody"))).status).toBe(200);
    expect((await send("PUT", "/v2/open/app/manifests/v1")).status).toBe(401);
    expect((await send("PUT", "/v2/open/app/manifests/v1", as("nobody"))).status).toBe(403);
    expect((await send("GET", "/v2/open/absent/manifests/v1")).status).toBe(404);
  });
});

describe("a private blob", () => {
  it("is not read through another repository", async () => {
    for (const repository of ["open/app", "mine/app"]) {
      for (const method of ["GET", "HEAD"])
        expect((await send(method, `/v2/${repository}/blobs/${secret.digest}`, as("pusher"))).status).toBe(404);
    }
  });

  it.each(["&from=private/app", "", "&from=private/absent", "&from=../private/app", "&from=mine/../private/app"])(
    "is not mounted, and the answer is that of a blob that is nowhere: %s",
    async (from) => {
      const absent = `sha256:${"0".repeat(64)}`;
      const answers: unknown[] = [];
      for (const digest of [secret.digest, absent]) {
        const response = await send("POST", `/v2/mine/app/blobs/uploads/?mount=${digest}${from}`, as("pusher"));
        expect(response.status).toBe(202);
        answers.push([...response.headers.keys()]);
      }
      expect(answers[0]).toEqual(answers[1]);
      expect((await send("HEAD", `/v2/mine/app/blobs/${secret.digest}`, as("pusher"))).status).toBe(404);
    },
  );

  it("is mounted by who may read it", async () => {
    const path = `/v2/mine/mounted/blobs/uploads/?mount=${secret.digest}&from=private/app`;
    expect((await send("POST", path, as("owner"))).status).toBe(201);
  });

  it("is not named by a manifest of another repository", async () => {
    const body = JSON.stringify(imageOf([secret.digest] as never));
    const type = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
    const refused = await send("PUT", "/v2/mine/app/manifests/stolen", { ...as("pusher"), ...type }, body);
    expect(refused.status).toBe(400);
  });
});

describe("tricks with paths", () => {
  // The name that is authorised is the one that is used: what is no name as it stands is none.
  it.each([
    "/v2/mine/..%2fprivate/app/manifests/v1",
    "/v2/mine/%2e%2e%2fprivate%2fapp/manifests/v1",
    "/v2/mine%2f..%2fprivate%2fapp/manifests/v1",
    "/v2/mine%2fapp/manifests/v1",
    "/v2/private%2fapp/manifests/v1",
    "/v2/%70rivate/app/manifests/v1",
    "/v2/Private/App/manifests/v1",
    "/v2/PRIVATE/app/manifests/v1",
    "/v2//private/app/manifests/v1",
    "/v2/private//app/manifests/v1",
    "/v2/./private/app//manifests/v1",
    "/v2/mine/app;/../../private/app/%2e/manifests/v1/",
    "/v2/priv\u0430te/app/manifests/v1",
    "/v2/private/app%00/manifests/v1",
    "/v2/mine\\..\\private/app/%2e%2e/x/manifests/v1",
    "/v2/mine/app?/../../private/app/manifests/v1",
  ])("%s", async (path) => {
    const response = await send("GET", path, as("pusher"));
    expect([400, 403, 404]).toContain(response.status);
    expect(response.headers.get("docker-content-digest")).toBeNull();
  });

  it.each(["/v2/mine/../private/app/manifests/v1", "/v2/mine/%2e%2e/private/app/manifests/v1"])(
    "%s is the path that it leads to",
    async (path) => {
      expect((await send("GET", path, as("pusher"))).status).toBe(403);
      expect((await send("GET", path, as("reader"))).status).toBe(200);
    },
  );
});

describe("the catalog", () => {
  async function names(user: string, query = ""): Promise<unknown> {
    const response = await send("GET", `/v2/_catalog${query}`, as(user));
    return response.status === 200
      ? { ...(await response.json<object>()), link: response.headers.get("link") }
      : response.status;
  }

  it("has what the caller may pull", async () => {
    expect(await names("owner")).toEqual({ repositories: ["mine/app", "open/app", "private/app"], link: null });
    expect(await names("pusher")).toEqual({ repositories: ["mine/app", "open/app"], link: null });
    expect(await names("reader")).toEqual({ repositories: ["open/app", "private/app"], link: null });
  });

  it("pages over what the caller may not see", async () => {
    const link = '</v2/_catalog?n=1&last=open%2Fapp>; rel="next"';
    expect(await names("reader", "?n=1")).toEqual({ repositories: ["open/app"], link });
    expect(await names("reader", "?n=1&last=open/app")).toEqual({ repositories: ["private/app"], link: null });
    expect(await names("pusher", "?n=1&last=open/app")).toEqual({ repositories: [], link: null });
  });
});

describe("the audit", () => {
  it("has what was changed", async () => {
    const manifest = await (await send("GET", "/v2/mine/app/manifests/v1", as("owner"))).text();
    const type = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
    expect((await send("PUT", "/v2/mine/app/manifests/v2", { ...as("owner"), ...type }, manifest)).status).toBe(201);
    expect((await send("DELETE", "/v2/mine/app/manifests/v2", as("owner"))).status).toBe(202);
    expect(entries.map(({ verb, name, status, allowed }) => ({ verb, name, status, allowed }))).toEqual([
      { verb: "push", name: "mine/app:v2", status: 201, allowed: true },
      { verb: "delete", name: "mine/app:v2", status: 202, allowed: true },
    ]);
  });
});
