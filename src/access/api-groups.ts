/** Groups that access itself knows by name. */
export const API_GROUPS = {
  /** Repositories, tags and manifests; `pull` and `push` are verbs of its repositories. */
  content: "content.entrepot.dev",
  /** Users, teams, service accounts, roles, bindings and issuers. */
  iam: "iam.entrepot.dev",
  audit: "audit.entrepot.dev",
  secret: "secret.entrepot.dev",
} as const;
