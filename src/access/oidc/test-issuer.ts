import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";
import { Outbound } from "../../platform/index.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import { createProviders } from "./provider-metadata.ts";

/** The time in these tests, in milliseconds. */
export const NOW = Date.UTC(2026, 10, 21, 12);

/** An issuer with a key, for tests. */
export interface TestIssuer {
  readonly issuer: string;
  readonly publicJwk: JWK;
  /** Signs claims; issuer, subject, audience and times have values unless given. `undefined` leaves a claim out. */
  token(claims?: Readonly<Record<string, unknown>>, header?: Partial<JWTHeaderParameters>): Promise<string>;
}

export async function testIssuer(issuer: string, kid = "key-1", alg = "RS256"): Promise<TestIssuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return {
    issuer,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" },
    token: (claims = {}, header = {}) =>
      new SignJWT({
        iss: issuer,
        sub: "subject",
        aud: "entrepot",
        iat: NOW / 1000,
        exp: NOW / 1000 + 300,
        ...claims,
      })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey),
  };
}

/** A network of addresses with answers, a clock that can be moved, and what looks for keys on them. */
export function testNetwork(answers: Record<string, unknown>, allowPrivate = false) {
  const time = { now: NOW };
  const seen: string[] = [];
  const requests: Request[] = [];
  const outbound = new Outbound({
    async fetch(url, init) {
      seen.push(url);
      requests.push(
        new Request(url, { method: init.method ?? "GET", headers: init.headers ?? {}, body: init.body ?? null }),
      );
      const answer = answers[url];
      if (answer === undefined) throw new TypeError("unreachable");
      return answer instanceof Response ? answer.clone() : Response.json(answer);
    },
    allowPrivate,
    sleep: async () => {},
  });
  const clock = () => time.now;
  const providers = createProviders({ outbound, clock });
  return {
    answers,
    time,
    seen,
    requests,
    outbound,
    clock,
    providers,
    keys: createIssuerKeys({ outbound, clock, providers }),
  };
}

/** The addresses of an issuer that is found by discovery. */
export function published(
  issuer: TestIssuer,
  metadata: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    [`${issuer.issuer}/.well-known/openid-configuration`]: {
      issuer: issuer.issuer,
      jwks_uri: `${issuer.issuer}/keys`,
      ...metadata,
    },
    [`${issuer.issuer}/keys`]: { keys: [issuer.publicJwk] },
  };
}
