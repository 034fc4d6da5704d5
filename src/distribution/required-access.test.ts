import { describe, expect, it } from "vitest";
import { accessDetail, requiredAccess, scopeText } from "./required-access.ts";
import { parseRoute } from "./route.ts";
import { ROUTES } from "./routes.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;

function accessOf(method: string, path: string) {
  const url = new URL(`http://registry${path}`);
  const route = parseRoute(url.pathname);
  if (route.kind === "failure") throw new Error(path);
  return requiredAccess(route, method, url);
}

describe("what a token has to be good for", () => {
  it.each([
    ["GET", "/v2/", undefined],
    ["GET", "/v2/_catalog", "registry:catalog:*"],
    ["GET", "/v2/a/b/manifests/v1", "repository:a/b:pull"],
    ["HEAD", `/v2/a/manifests/${DIGEST}`, "repository:a:pull"],
    ["PUT", "/v2/a/manifests/v1", "repository:a:pull,push"],
    ["DELETE", "/v2/a/manifests/v1", "repository:a:delete"],
    ["GET", `/v2/a/blobs/${DIGEST}`, "repository:a:pull"],
    ["DELETE", `/v2/a/blobs/${DIGEST}`, "repository:a:delete"],
    ["POST", "/v2/a/blobs/uploads/", "repository:a:pull,push"],
    ["POST", `/v2/a/blobs/uploads/?mount=${DIGEST}`, "repository:a:pull,push"],
    ["POST", `/v2/a/blobs/uploads/?mount=${DIGEST}&from=b/c`, "repository:a:pull,push repository:b/c:pull"],
    ["POST", "/v2/a/blobs/uploads/?from=b", "repository:a:pull,push"],
    ["POST", `/v2/a/blobs/uploads/?mount=${DIGEST}&from=B%22,scope=%22x`, "repository:a:pull,push"],
    ["DELETE", "/v2/a/blobs/uploads/1", "repository:a:pull,push"],
    ["GET", "/v2/a/tags/list", "repository:a:pull"],
    ["GET", `/v2/a/referrers/${DIGEST}`, "repository:a:pull"],
  ])("%s %s", (method, path, scope) => {
    expect(scopeText(accessOf(method, path))).toBe(scope);
  });

  it("is also said in an error's detail", () => {
    expect(accessDetail(accessOf("PUT", "/v2/a/manifests/v1"))).toEqual([
      { Type: "repository", Name: "a", Action: "pull" },
      { Type: "repository", Name: "a", Action: "push" },
    ]);
    expect(accessDetail([])).toBeUndefined();
  });
});

describe("the table of routes", () => {
  const parts = { "<name>": "a/b", "<reference>": "v1", "<digest>": DIGEST, "<id>": "1-2" };

  it.each(Object.entries(ROUTES))("has paths of their own kind: %s", (kind, { path }) => {
    const filled = path.replaceAll(/<[a-z]+>/g, (part) => parts[part as keyof typeof parts]);
    expect(parseRoute(filled).kind).toBe(kind);
  });
});
