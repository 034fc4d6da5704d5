import { interleave } from "./measure.ts";
import { payload } from "./payload.ts";
import { imageManifest, pushBlob, putManifest } from "./registry-client.ts";
import { requestRate } from "./request-rate.ts";
import { newFolder, startRegistry } from "./service.ts";
import { atLeast, rateRow, type Row } from "./table.ts";

const NAMESPACE = "bench";
const REPOSITORY = `${NAMESPACE}/access`;
const CONNECTIONS = 16;
const PASSWORD = "correct horse battery staple";

/** A manifest `HEAD` with each kind of credential, against the same of a public repository without one. */
export async function access(rounds: number, seconds: number): Promise<Row[]> {
  const folder = newFolder();
  const open = await startRegistry("filesystem", { folder });
  await publish(open.url);
  await open.halt();
  const registry = await startRegistry("filesystem", { folder, env: { ADMIN_PASSWORD: PASSWORD } });
  const basic = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString("base64")}`;
  const url = `${registry.url}/v2/${REPOSITORY}/manifests/latest`;
  const rate = (authorization?: string) => async (): Promise<number> =>
    requestRate({
      method: "HEAD",
      url,
      connections: CONNECTIONS,
      seconds,
      ...(authorization === undefined ? {} : { authorization }),
    });
  const rates = await interleave(rounds, {
    anonymous: rate(),
    token: rate(`Bearer ${await token(registry.url, basic)}`),
    key: rate(`Bearer ${await apiKey(registry.url, basic)}`),
    password: rate(basic),
  });
  await registry.stop();
  const baseline = ["anonymous", rates.anonymous] as const;
  return [
    rateRow("HEAD manifest with a registry token", rates.token, baseline, atLeast(0.8)),
    rateRow("HEAD manifest with an API key", rates.key, baseline, atLeast(0.8)),
    rateRow("HEAD manifest with a password", rates.password, baseline, atLeast(0.8)),
  ];
}

/** An image that everyone may pull, pushed while everyone may push. */
async function publish(origin: string): Promise<void> {
  const config = payload(0);
  await pushBlob(origin, REPOSITORY, config, "monolithic");
  await putManifest(origin, REPOSITORY, "latest", imageManifest([config]));
  await call(`${origin}/api/v1/namespaces/${NAMESPACE}`, {
    method: "PATCH",
    headers: { "content-type": "application/merge-patch+json" },
    body: JSON.stringify({ spec: { visibility: "public" } }),
  });
}

async function token(origin: string, authorization: string): Promise<string> {
  const url = `${origin}/auth/token?service=entrepot&scope=repository:${REPOSITORY}:pull`;
  return ((await call(url, { headers: { authorization } })) as { readonly token: string }).token;
}

async function apiKey(origin: string, authorization: string): Promise<string> {
  const json = { authorization, "content-type": "application/json" };
  const iam = `${origin}/apis/iam.entrepot.dev/v1`;
  const account = { apiVersion: "iam.entrepot.dev/v1", kind: "ServiceAccount", metadata: { name: "bench" } };
  const robots = `${iam}/namespaces/${NAMESPACE}/serviceaccounts`;
  await call(robots, { method: "POST", headers: json, body: JSON.stringify(account) });
  const made = await call(`${robots}/bench/tokens`, { method: "POST", headers: json, body: "{}" });
  return (made as { readonly token: string }).token;
}

async function call(url: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}
