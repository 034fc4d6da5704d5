import { BUILT_IN_ROLES, type Grant, type Issuer, type Rule } from "../access/index.ts";
import type { Log } from "../platform/index.ts";
import { type BindingSpec, clusterRoleBindingSpec, roleBindingSpec } from "./bindings.ts";
import type { PolicyRow, PolicySnapshot } from "./directory-store.ts";
import { federatedIssuerSpec, issuerOf } from "./federated-issuer.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, FEDERATED_ISSUERS, ROLE_BINDINGS, ROLES, TEAMS } from "./names.ts";
import { roleSpec } from "./roles.ts";
import { isGroupSubject, subjectName, teamGroup } from "./subjects.ts";
import { teamSpec } from "./team.ts";

/** A binding that someone is named in. */
interface Bound {
  readonly binding: string;
  /** Absent for those that hold everywhere. */
  readonly namespace?: string;
  readonly roleRef: BindingSpec["roleRef"];
}

/** What a snapshot says, found by who it is about. An object that is not what its kind should be says nothing. */
export class PolicyIndex {
  readonly publicNamespaces: ReadonlySet<string>;
  readonly issuers: readonly Issuer[];
  readonly #roles = new Map<string, readonly Rule[]>();
  readonly #clusterRoles = new Map<string, readonly Rule[]>();
  readonly #teams = new Map<string, string[]>();
  readonly #byIdentity = new Map<string, Bound[]>();
  readonly #byGroup = new Map<string, Bound[]>();

  constructor(snapshot: PolicySnapshot, log: Log) {
    const issuers: Issuer[] = [];
    this.publicNamespaces = new Set(snapshot.publicNamespaces);
    for (const row of snapshot.rows) {
      try {
        this.#take(row, issuers);
      } catch (error) {
        const { resource, namespace, name } = row;
        log.error("iam.object-unusable", { resource, namespace, name, error });
      }
    }
    this.issuers = issuers;
    for (const { name, rules } of BUILT_IN_ROLES.values()) this.#clusterRoles.set(name, rules);
  }

  /** Groups of the teams that an identity is in. */
  teams(identity: string): readonly string[] {
    return this.#teams.get(identity) ?? [];
  }

  /** What bindings give to an identity and to groups. */
  grants(identity: string, groups: readonly string[]): Grant[] {
    const bound = [
      ...(this.#byIdentity.get(identity) ?? []),
      ...groups.flatMap((group) => this.#byGroup.get(group) ?? []),
    ];
    return bound.flatMap(({ binding, namespace, roleRef }) => {
      const rules =
        roleRef.kind === "ClusterRole"
          ? this.#clusterRoles.get(roleRef.name)
          : this.#roles.get(`${namespace ?? ""}/${roleRef.name}`);
      if (rules === undefined) return [];
      const source = `${binding} ${roleRef.kind}/${roleRef.name}`;
      return [{ rules, source, ...(namespace === undefined ? {} : { namespace }) }];
    });
  }

  /** Whether a binding or a team names the identity. */
  isNamed(identity: string): boolean {
    return this.#byIdentity.has(identity) || this.#teams.has(identity);
  }

  clusterRole(name: string): readonly Rule[] | undefined {
    return this.#clusterRoles.get(name);
  }

  /** @throws {Error} if the object is not what its kind should be */
  #take({ resource, namespace, name, spec: text }: PolicyRow, issuers: Issuer[]): void {
    const spec: unknown = text === null ? {} : JSON.parse(text);
    switch (resource) {
      case ROLES.plural:
        this.#roles.set(`${namespace}/${name}`, roleSpec.parse(spec).rules);
        return;
      case CLUSTER_ROLES.plural:
        this.#clusterRoles.set(name, roleSpec.parse(spec).rules);
        return;
      case TEAMS.plural:
        for (const member of teamSpec.parse(spec).members) {
          append(this.#teams, subjectName(member, undefined), teamGroup(name));
        }
        return;
      case ROLE_BINDINGS.plural:
        this.#bind(roleBindingSpec.parse(spec), `RoleBinding/${namespace}/${name}`, namespace);
        return;
      case CLUSTER_ROLE_BINDINGS.plural:
        this.#bind(clusterRoleBindingSpec.parse(spec), `ClusterRoleBinding/${name}`);
        return;
      case FEDERATED_ISSUERS.plural:
        issuers.push(issuerOf(name, federatedIssuerSpec.parse(spec)));
    }
  }

  #bind({ roleRef, subjects }: BindingSpec, binding: string, namespace?: string): void {
    const bound = { binding, roleRef, ...(namespace === undefined ? {} : { namespace }) };
    for (const subject of subjects) {
      append(isGroupSubject(subject) ? this.#byGroup : this.#byIdentity, subjectName(subject, namespace), bound);
    }
  }
}

/** Adds to a list of the map, once. */
function append<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else if (!list.includes(value)) list.push(value);
}
