/** Who makes a request. */
export interface Identity {
  /** As audit and events name it. */
  readonly name: string;
}

/** What may be done to a repository. `catalog` is listing all of them. */
export type RepositoryVerb = "pull" | "push" | "delete" | "catalog";

/** Why a request was not authenticated. The wire says only what it must. */
export type AuthenticationFailure =
  /** No usable credential. */
  | { readonly reason: "unauthenticated" }
  /** This deployment has no credential with which anyone could get in. */
  | { readonly reason: "not-configured" };
