import type { Clock, Log, Result } from "../platform/index.ts";
import type {
  Audit,
  AuthenticationFailure,
  AuthorizationCode,
  Csrf,
  Directory,
  Identity,
  Scheme,
  Sessions,
} from "../access/index.ts";

/** What the HTTP endpoints of access are made of. */
export interface AuthServices {
  readonly gate: {
    authenticate(request: Request): Promise<Result<Identity, AuthenticationFailure>>;
    challenge(request: Request): string;
  };
  readonly directory: Pick<Directory, "issuers" | "userByLogin" | "createUser">;
  readonly sessions: Pick<Sessions, "start" | "end">;
  readonly csrf: Pick<Csrf, "token">;
  readonly audit: Pick<Audit, "record" | "recordNow" | "recordFailedSignIn">;
  readonly logins: AuthorizationCode;
  /** An HMAC key of this installation that signs what a sign-in keeps in the browser. */
  readonly loginKey: () => Promise<CryptoKey>;
  /** Whether the settings name such a user, whom a first sign-in by a provider cannot become though no `User` has the name. */
  readonly isReserved: (name: string) => boolean;
  /** How long a session lasts, in seconds. */
  readonly sessionSeconds: number;
  /** `PUBLIC_SCHEME`. */
  readonly publicScheme: Scheme | undefined;
  /** `GET` and `POST /auth/token`. */
  readonly tokens: (request: Request) => Promise<Response>;
  /** `GET /.well-known/jwks.json`. */
  readonly jwks: (request: Request) => Promise<Response>;
  /** `POST /auth/kubeconfig`. */
  readonly kubeconfig: (request: Request, identity: Identity) => Promise<Response>;
  readonly clock: Clock;
  readonly log: Log;
}
