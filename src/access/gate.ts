import { err, ok, type Result } from "../platform/index.ts";
import { parseBasic } from "./basic.ts";
import type { AuthenticationFailure, Identity, RepositoryVerb } from "./identity.ts";
import { equalSecrets } from "./secrets.ts";

/** The name of the first user, whose password is `ADMIN_PASSWORD`. */
const ADMIN = "admin";

const EVERYONE: Identity = { name: "anonymous" };

/** Decides who a request is from and what it may do. Every route of every surface asks it. */
export interface Gate {
  authenticate(request: Request): Promise<Result<Identity, AuthenticationFailure>>;
  /** `repository` is absent for `catalog`. */
  allows(identity: Identity, verb: RepositoryVerb, repository?: string): boolean;
  /** Whether the identity may do everything in the resource API. */
  administers(identity: Identity): boolean;
}

/** Settings that decide how the gate works. */
export interface GateSettings {
  /** Everyone may do everything. */
  readonly open: boolean;
  readonly adminPassword: string | undefined;
}

export function createGate({ open, adminPassword }: GateSettings): Gate {
  return {
    async authenticate(request) {
      if (adminPassword === undefined) return open ? ok(EVERYONE) : err({ reason: "not-configured" });
      const credential = parseBasic(request.headers.get("authorization"));
      if (credential === undefined) return err({ reason: "unauthenticated" });
      const genuine = (await equalSecrets(credential.password, adminPassword)) && credential.username === ADMIN;
      return genuine ? ok({ name: ADMIN }) : err({ reason: "unauthenticated" });
    },
    // Whoever got past `authenticate` is everyone (open) or the administrator.
    allows: () => true,
    administers: () => true,
  };
}
