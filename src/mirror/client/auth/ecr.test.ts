import { expect, it } from "vitest";
import { json, testRegistry } from "../network.fixture.ts";

const URL_ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const NOW = Date.parse("2026-01-01T00:00:00Z");
const CREDENTIAL = {
  kind: "ecr",
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "secret",
  sessionToken: "session",
} as const;

function ecr(answer: (action: string) => Response | undefined, clock = () => NOW) {
  return testRegistry(
    ({ url, headers }) => {
      if (!url.host.startsWith("api.ecr.")) return json({ tags: [] });
      const action = headers.get("x-amz-target")?.replace(/^.*\./, "") ?? "";
      const token = { authorizationToken: btoa("AWS:password"), expiresAt: NOW / 1000 + 3600 };
      return answer(action) ?? json(action === "GetAuthorizationToken" ? { authorizationData: [token] } : {});
    },
    { url: URL_ECR, credential: CREDENTIAL, clock },
  );
}

it("asks Amazon ECR for a password, signed, and keeps it until ten minutes before its end", async () => {
  let now = NOW;
  const { registry, network } = ecr(
    () => undefined,
    () => now,
  );
  await registry.check();
  await registry.check();
  now += 50 * 60 * 1000;
  await registry.check();
  expect(network.lines()).toEqual([
    "POST https://api.ecr.eu-west-1.amazonaws.com/",
    `GET https://${URL_ECR}/v2/`,
    `GET https://${URL_ECR}/v2/`,
    "POST https://api.ecr.eu-west-1.amazonaws.com/",
    `GET https://${URL_ECR}/v2/`,
  ]);
  const [asked, used] = network.seen;
  expect(asked?.headers.get("authorization")).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20260101\/eu-west-1\/ecr\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
  );
  expect(asked?.headers.get("x-amz-date")).toBe("20260101T000000Z");
  expect(asked?.headers.get("x-amz-security-token")).toBe("session");
  expect(used?.headers.get("authorization")).toBe(`Basic ${btoa("AWS:password")}`);
});

it("makes a repository once, and does not mind that it is there", async () => {
  const { registry, network } = ecr((action) =>
    action === "CreateRepository"
      ? new Response(`{"__type":"RepositoryAlreadyExistsException","message":"there"}`, { status: 400 })
      : undefined,
  );
  await registry.prepare("team/app");
  await registry.prepare("team/app");
  expect(network.seen).toHaveLength(1);
  expect(JSON.parse(new TextDecoder().decode(network.seen[0]?.body))).toEqual({
    repositoryName: "team/app",
    registryId: "123456789012",
  });
});

it.each([
  ["UnrecognizedClientException", "denied"],
  ["AccessDeniedException", "denied"],
  ["ThrottlingException", "transient"],
  ["InvalidParameterException", "refused"],
])("%s is %s", async (type, failure) => {
  const { registry } = ecr(() => new Response(JSON.stringify({ __type: type, message: "no" }), { status: 400 }));
  await expect(registry.check()).rejects.toMatchObject({ failure });
  await expect(registry.prepare("team/app")).rejects.toMatchObject({ failure });
});
