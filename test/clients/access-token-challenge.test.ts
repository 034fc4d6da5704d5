import { beforeAll, describe, expect, test } from "vitest";
import { type Answer, basic, header, json, query, type RequestPart } from "../conformance/registry-client.ts";
import { bearer, makeWorld, PASSWORDS, type World } from "../support/access-world.ts";
import { useServer } from "../support/client-fixture.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("the challenge", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin } });
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(at.server);
  });
  const send = (method: string, target: string, ...parts: RequestPart[]): Promise<Answer> =>
    world.registry.send(method, target, ...parts);

  test.each([
    ["GET", "/v2/", undefined],
    ["HEAD", "/v2/", undefined],
    ["GET", "/v2/_catalog", "registry:catalog:*"],
    ["GET", "/v2/team-a/app/tags/list", "repository:team-a/app:pull"],
    ["GET", "/v2/team-a/app/manifests/v1", "repository:team-a/app:pull"],
    ["HEAD", "/v2/team-a/app/manifests/v1", "repository:team-a/app:pull"],
    ["GET", "/v2/team-a/absent/manifests/v1", "repository:team-a/absent:pull"],
    ["PUT", "/v2/team-a/app/manifests/v1", "repository:team-a/app:pull,push"],
    ["DELETE", "/v2/team-a/app/manifests/v1", "repository:team-a/app:delete"],
    ["GET", `/v2/team-a/app/referrers/${DIGEST}`, "repository:team-a/app:pull"],
    ["GET", `/v2/team-a/app/blobs/${DIGEST}`, "repository:team-a/app:pull"],
    ["HEAD", `/v2/team-a/app/blobs/${DIGEST}`, "repository:team-a/app:pull"],
    ["DELETE", `/v2/team-a/app/blobs/${DIGEST}`, "repository:team-a/app:delete"],
    ["POST", "/v2/team-a/app/blobs/uploads/", "repository:team-a/app:pull,push"],
    [
      "POST",
      `/v2/team-a/app/blobs/uploads/?mount=${DIGEST}&from=team-b/app`,
      "repository:team-a/app:pull,push repository:team-b/app:pull",
    ],
    ["POST", `/v2/team-a/app/blobs/uploads/?mount=${DIGEST}`, "repository:team-a/app:pull,push"],
    ["GET", "/v2/team-a/app/blobs/uploads/anything", "repository:team-a/app:pull,push"],
    ["PATCH", "/v2/team-a/app/blobs/uploads/anything", "repository:team-a/app:pull,push"],
    ["PUT", "/v2/open/app/manifests/v1", "repository:open/app:pull,push"],
  ])("of %s %s asks for %s", async (method, target, scope) => {
    const answer = await send(method, target);
    expect(answer.status).toBe(401);
    const parameters = [
      `realm="${at.server.url}/auth/token"`,
      `service="entrepot"`,
      ...(scope === undefined ? [] : [`scope="${scope}"`]),
    ];
    expect(answer.headers.get("www-authenticate")).toBe(`Bearer ${parameters.join(",")}`);
    expect(answer.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
    if (method !== "HEAD") expect(json(answer)).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
  });

  test("names the address by which the client came", async () => {
    const { headers } = await send("GET", "/v2/", header("x-forwarded-host", "evil.example"));
    expect(headers.get("www-authenticate")).toContain(`realm="${at.server.url}/auth/token"`);
  });

  test("of a token that is good for too little says so", async () => {
    const bob = basic("bob", PASSWORDS.bob);
    const made = await send("GET", "/auth/token", bob, query("scope", "repository:team-a/app:pull"));
    const { token } = json(made) as { readonly token: string };
    const answer = await send("POST", "/v2/team-a/app/blobs/uploads/", bearer(token));
    expect(answer.status).toBe(401);
    const challenge = answer.headers.get("www-authenticate");
    expect(challenge).toContain(`scope="repository:team-a/app:pull,push"`);
    expect(challenge).toContain(`error="insufficient_scope"`);
  });

  test("of a token that is none says so", async () => {
    const answer = await send("GET", "/v2/", bearer("e30.e30.e30"));
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain(`error="invalid_token"`);
  });
});
