import type { ReportFailure } from "../../http/index.ts";
import type { Audit, AuthenticationFailure, Identity } from "../../access/index.ts";
import type { Clock, Result } from "../../platform/index.ts";
import type { ApiServices, Authorizer } from "../../resources/index.ts";
import type { ExecutionStore, IdStore, LogStore } from "../store/index.ts";
import type { SecretDecrypter } from "../../secrets/index.ts";

/** What the REST API of mirroring is served from. */
export interface SyncRestServices {
  readonly gate: {
    authenticate(request: Request): Promise<Result<Identity, AuthenticationFailure>>;
    challenge(request: Request): string;
  };
  readonly authorizer: Authorizer;
  readonly audit: Pick<Audit, "record">;
  /** Has the kinds that the endpoints are views of, their subresources and secrets. */
  readonly registry: ApiServices["registry"];
  readonly executions: Pick<ExecutionStore, "get" | "list" | "totals">;
  readonly logs: Pick<LogStore, "list" | "total">;
  readonly ids: Pick<IdStore, "idsOf" | "idOf" | "find">;
  /** Tells whether a secret that is written again is the same. */
  readonly decrypter: Pick<SecretDecrypter, "decrypt">;
  readonly live: {
    /** Answers a request for a WebSocket. `namespaces` are those whose runs the client may see, all if absent. */
    connect(options: {
      readonly namespaces?: readonly string[];
      readonly since?: number;
      /** Only what is of this run. */
      readonly execution?: number;
    }): Promise<Response>;
  };
  /** Scheme by which clients reach the server, if it is not the request's (`PUBLIC_SCHEME`). */
  readonly publicScheme?: "http" | "https" | undefined;
  readonly clock: Clock;
  readonly reportFailure: ReportFailure;
}
