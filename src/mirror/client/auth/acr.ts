import * as z from "zod";
import { RegistryError } from "../../registry.ts";
import { postForm, readTokenAnswer, type TokenPorts } from "./bearer.ts";

const answerSchema = z.object({
  refresh_token: z
    .string()
    .min(1)
    .max(64 * 1024),
});

/**
 * Changes an access token of Microsoft Entra ID for a refresh token of the registry, which its token service then
 * takes. It is asked for at the registry itself, whatever its challenge says.
 * @see Azure Container Registry, "AAD-OAuth.md", POST /oauth2/exchange
 */
export async function exchangeForAcr(
  credential: { readonly accessToken: string; readonly tenant?: string },
  ports: TokenPorts,
): Promise<string> {
  const what = `refresh token from ${ports.base.host}`;
  const form = new URLSearchParams({
    grant_type: "access_token",
    service: ports.base.host,
    access_token: credential.accessToken,
    ...(credential.tenant === undefined ? {} : { tenant: credential.tenant }),
  });
  const answer = await postForm(new URL("/oauth2/exchange", ports.base), form, what, ports);
  const parsed = answerSchema.safeParse(await readTokenAnswer(answer, what, ports));
  if (parsed.success) return parsed.data.refresh_token;
  throw new RegistryError("refused", `${ports.registry}: ${what}: the answer is not a token`);
}
