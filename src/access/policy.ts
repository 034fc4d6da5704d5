/** One thing that someone wants to do. Empty texts stand for what the request does not name. */
export interface AccessRequest {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `connect`; `pull` and `push` of repositories. */
  readonly verb: string;
  readonly group: string;
  /** The plural; empty for paths that name no resource. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  /** Of a repository, its whole name: `team-a/app`. */
  readonly name: string;
}

/**
 * What a role allows. In groups and resources, `!` before an entry takes it out of what the others allow, wherever it
 * stands in the list.
 * @see Kubernetes, rbac.authorization.k8s.io/v1 PolicyRule
 */
export interface Rule {
  /** `*` for all. */
  readonly apiGroups: readonly string[];
  /**
   * `plural`, which has no subresources with it, `plural/subresource`, `*` followed by `/subresource`, or `*` for all,
   * subresources included. `!plural` takes out its subresources too.
   */
  readonly resources: readonly string[];
  /** Names, in which `*` stands for any text; all names if absent or empty. */
  readonly resourceNames?: readonly string[] | undefined;
  /** `*` for all. */
  readonly verbs: readonly string[];
}

/** Rules that a binding gives. */
export interface Grant {
  readonly rules: readonly Rule[];
  /** Where they hold; everywhere if absent. */
  readonly namespace?: string;
  /** The binding and the role, for the audit: `ClusterRoleBinding/ops ClusterRole/admin`. */
  readonly source: string;
}

/** Whether, and by what. The reason is a tag for the audit and the log, with the grant's source if a role decided. */
export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** What one identity may do. Answers at once: everything it needs was read before. */
export interface Policy {
  decide(request: AccessRequest): AccessDecision;
  /** Whether the verb is allowed for some object of the resource, in the namespace or, without one, in any. */
  mayIn(request: Pick<AccessRequest, "verb" | "group" | "resource">, namespace?: string): boolean;
  /**
   * Those of the rules that allow more, in the namespace or, without one, everywhere, than the identity may do: what it
   * must not give to anyone. May name a rule that it holds by several of its own, never the other way round.
   */
  uncovered(rules: readonly Rule[], namespace?: string): readonly Rule[];
}
