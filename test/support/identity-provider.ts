import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** An OpenID provider on loopback that lets everyone in without asking. */
export interface IdentityProvider {
  /** Its address, and the claim `iss`. */
  readonly issuer: string;
  /** An identity token with these claims besides those that every one has. */
  token(claims: Readonly<Record<string, unknown>>): Promise<string>;
  stop(): Promise<void>;
}

const LIFETIME_SECONDS = 300;

/** What it remembers between the browser's visit and the server's. */
interface Grant {
  readonly nonce: string;
  readonly challenge: string;
  readonly clientId: string;
}

/** Starts a provider that says that everyone who comes is `subject`. @see OpenID Connect Core 1.0, section 3.1 */
export async function startIdentityProvider(subject: string): Promise<IdentityProvider> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "test", alg: "ES256", use: "sig" };
  const grants = new Map<string, Grant>();
  let issuer = "";

  const token: IdentityProvider["token"] = async (claims) => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer, sub: subject, preferred_username: subject, iat: now, exp: now + LIFETIME_SECONDS };
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: "ES256", kid: "test" }).sign(privateKey);
  };

  const answer = async (url: URL, form: URLSearchParams): Promise<object | string | undefined> => {
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return {
          issuer,
          jwks_uri: `${issuer}/keys`,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
        };
      case "/keys":
        return { keys: [jwk] };
      case "/authorize": {
        const query = url.searchParams;
        const code = randomUUID();
        grants.set(code, {
          nonce: query.get("nonce") ?? "",
          challenge: query.get("code_challenge") ?? "",
          clientId: query.get("client_id") ?? "",
        });
        const back = new URL(query.get("redirect_uri") ?? "");
        back.searchParams.set("code", code);
        back.searchParams.set("state", query.get("state") ?? "");
        return back.href;
      }
      case "/token": {
        const grant = grants.get(form.get("code") ?? "");
        grants.delete(form.get("code") ?? "");
        const proof = createHash("sha256")
          .update(form.get("code_verifier") ?? "")
          .digest("base64url");
        if (grant === undefined || proof !== grant.challenge) return undefined;
        return {
          id_token: await token({ aud: grant.clientId, nonce: grant.nonce }),
          access_token: "x",
          token_type: "Bearer",
        };
      }
      default:
        return undefined;
    }
  };

  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const result = await answer(new URL(request.url ?? "", issuer), new URLSearchParams(body));
      if (typeof result === "string") response.writeHead(302, { location: result }).end();
      else if (result === undefined) response.writeHead(400).end("{}");
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    token,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
