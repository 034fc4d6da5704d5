import type { Grant, Rule } from "./policy.ts";

/** A person or a robot, as authentication needs to know them. */
export interface Account {
  /** The identity's name. */
  readonly name: string;
  readonly disabled: boolean;
}

/** Someone to sign in with, or whose identity tokens are accepted: a `FederatedIssuer`. */
export interface Issuer {
  readonly name: string;
  /** The claim `iss`, compared to the letter. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Where its keys are; found by OpenID discovery if absent. */
  readonly jwksUrl?: string;
  /** Its keys, if they are not to be fetched: a JWK Set as JSON text. */
  readonly jwks?: string;
  /** Whose tokens become which service account. The first rule that matches decides. */
  readonly rules: readonly ClaimRule[];
  /** Present if people may sign in by it. */
  readonly login?: IssuerLogin;
}

export interface ClaimRule {
  /** By claim name (a dot goes down into objects): text in which `*` stands for any text. All have to match. */
  readonly claims: Readonly<Record<string, string>>;
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

/** How people sign in by OpenID Connect, code flow with PKCE. */
export interface IssuerLogin {
  readonly clientId: string;
  /** Where the client's secret is, if it has one: a `SecureValue` in a namespace. */
  readonly clientSecret?: { readonly namespace: string; readonly name: string };
  readonly scopes: readonly string[];
  /** The claim that names the user. */
  readonly usernameClaim: string;
  /** Make a `User` for whom there is none. */
  readonly createUsers: boolean;
  /** What the button says. */
  readonly displayName: string;
}

/**
 * Who there is and what roles they have: what authentication and authorisation read of the IAM kinds. Answers may be
 * as old as `READ_STALENESS_MS`, and belong to one `generation`.
 */
export interface Directory {
  /**
   * Changes whenever anything that decides access did: IAM objects, public namespaces, passwords, keys, sessions. What was
   * remembered of an earlier generation is to be forgotten.
   * @param name an account that is asked for next: if it is not known, it is read in the same turn
   */
  generation(name?: string): Promise<string>;
  /** `undefined` if there is none of that name. Takes users and service accounts, by the identity's name. */
  account(name: string): Promise<Account | undefined>;
  /** Groups of the teams that the identity is in: `team:<name>`. */
  teams(name: string): Promise<readonly string[]>;
  /** What bindings give to an identity and to the groups it is in. */
  grants(name: string, groups: readonly string[]): Promise<readonly Grant[]>;
  /** The rules of a cluster role, built-in ones included; `undefined` if there is none of that name. */
  clusterRole(name: string): Promise<readonly Rule[] | undefined>;
  /** Namespaces that everyone may pull from. */
  publicNamespaces(): Promise<ReadonlySet<string>>;
  issuers(): Promise<readonly Issuer[]>;
  /** The user that signs in as `subject` by the issuer named `issuer`. */
  userByLogin(issuer: string, subject: string): Promise<Account | undefined>;
  /** Makes a user for a first sign-in. The name may be taken already, or be in bindings or teams, which is a failure. */
  createUser(user: {
    readonly name: string;
    readonly displayName?: string;
    readonly email?: string;
    readonly issuer: string;
    readonly subject: string;
  }): Promise<Account | undefined>;
}
