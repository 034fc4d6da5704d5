import * as z from "zod";
import { authenticationRefusal } from "../http/index.ts";
import {
  type AuthenticationFailure,
  type BasicCredential,
  BOOTSTRAP_ADMIN,
  type CredentialStore,
  newPassword,
  PASSWORD_MESSAGES,
} from "../access/index.ts";
import type { Result } from "../platform/index.ts";
import { badRequest, type Connecter, decodeBody, StatusError } from "../resources/index.ts";

const bodySchema = z.object({ current: z.string(), new: z.string() });

/** Bytes of a body at the most. */
const MAX_BODY = 16_384;

/** What changing one's own password works with. */
export interface PasswordChangePorts {
  readonly credentials: Pick<CredentialStore, "summaries">;
  readonly passwords: { set(user: string, password: string): Promise<unknown> };
  /** Whether a password is right, counting wrong ones (`passwordAuthenticator`). */
  readonly checkPassword: (
    credential: BasicCredential,
    request: Request,
  ) => Promise<Result<unknown, AuthenticationFailure>>;
}

/** `POST …/users/<name>/password` with `{"current": …, "new": …}`: a user changes their own password. It ends their sessions. */
export function passwordConnecter({ credentials, passwords, checkPassword }: PasswordChangePorts): Connecter {
  return {
    subresource: "password",
    description: "Changes one's own password.",
    methods: ["POST"],
    async connect({ identity }, { name, path }, request) {
      if (path !== "") throw new StatusError("NotFound", "the server could not find the requested resource");
      if (identity.name !== name || identity.scope !== undefined) {
        throw new StatusError(
          "Forbidden",
          "only the user's own: to set another one's, write spec.password of the User",
        );
      }
      if (name === BOOTSTRAP_ADMIN) throw badRequest("the password of this user is the setting ADMIN_PASSWORD");
      const { object } = await decodeBody(request, { limit: MAX_BODY, accept: ["json", "yaml"] });
      const body = bodySchema.safeParse(object);
      if (!body.success) throw badRequest('the body must be {"current": "<password>", "new": "<password>"}');
      if ((await credentials.summaries([name])).get(name)?.passwordSet !== true) {
        throw new StatusError("Forbidden", "there is no password yet: someone who may update users sets the first one");
      }
      const checked = await checkPassword({ username: name, password: body.data.current }, request);
      if (!checked.ok) throw refusal(checked.error);
      const password = newPassword(body.data.new);
      if (!password.ok) throw badRequest(`new: ${PASSWORD_MESSAGES[password.error]}`);
      await passwords.set(name, password.value);
      const answer = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 200 };
      return Response.json(answer, { headers: { "cache-control": "no-store" } });
    },
  };
}

function refusal(failure: AuthenticationFailure): StatusError {
  const refusal = authenticationRefusal(failure);
  return refusal.status === 429
    ? new StatusError("TooManyRequests", refusal.message, { retryAfterSeconds: refusal.retryAfterSeconds })
    : new StatusError("Forbidden", "current: this is not the password");
}
