import {
  type Account,
  BOOTSTRAP_ADMIN,
  type Directory,
  type Grant,
  type Issuer,
  parseServiceAccountIdentity,
  type Rule,
} from "../access/index.ts";
import { type Clock, type Log, Lru } from "../platform/index.ts";
import { type ResourceClient, StatusError } from "../resources/index.ts";
import type { AccessVersions, DirectoryStore } from "./directory-store.ts";
import { IAM_GROUP, IAM_VERSION, SERVICE_ACCOUNTS, USERS } from "./names.ts";
import { PolicyIndex } from "./policy-index.ts";

/** Accounts that are remembered. */
const ACCOUNTS = 10_000;

/** What the directory works with. */
export interface DirectoryPorts {
  readonly store: DirectoryStore;
  /** Asked for when it is needed, not before: it may be made after the directory. */
  readonly client: () => ResourceClient;
  readonly clock: Clock;
  readonly log: Log;
  /** How long what another isolate wrote may go unseen, in milliseconds. */
  readonly staleness: number;
}

/** What was read last. */
interface Known {
  readonly versions: AccessVersions;
  readonly index: PolicyIndex;
  /** By identity; `undefined` inside for one that there is not. */
  readonly accounts: Lru<{ readonly account: Account | undefined }>;
}

/**
 * The directory over the IAM kinds. Roles and bindings are held in memory as of one generation, accounts are looked up one
 * by one; whether there is a newer generation is asked at most once in `staleness`. Requests share what was read and never
 * wait for each other: an isolate cannot do one request's I/O for another.
 */
export class ResourceDirectory implements Directory {
  readonly #ports: DirectoryPorts;
  #known: Known | undefined;
  /** When the database was asked for it, by `clock`. */
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Counts questions to the database; `#known` is the answer to the latest that was answered. */
  #questions = 0;
  #answered = 0;
  /** Counts calls of `forget`, so that what was asked before one does not count as asked after it. */
  #forgotten = 0;

  constructor(ports: DirectoryPorts) {
    this.#ports = ports;
  }

  /** Has the next question look at the database: something that decides access was written in this isolate. */
  forget(): void {
    this.#forgotten += 1;
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  async generation(name?: string): Promise<string> {
    const before = this.#known;
    const asked = this.#current();
    const account =
      name === undefined || before === undefined || before.accounts.get(name) !== undefined
        ? undefined
        : this.#readAccount(name);
    account?.catch(() => {});
    const { versions, index, accounts } = await asked;
    // A new index was read after the account was, which may have changed in between.
    if (name !== undefined && account !== undefined && index === before?.index) {
      accounts.set(name, { account: await account }, 1);
    }
    return versions.all;
  }

  async account(name: string): Promise<Account | undefined> {
    const { accounts } = await this.#current();
    const known = accounts.get(name);
    if (known !== undefined) return known.account;
    const account = await this.#readAccount(name);
    // Not into what may have been replaced since: it would be of another generation.
    accounts.set(name, { account }, 1);
    return account;
  }

  async teams(name: string): Promise<readonly string[]> {
    return (await this.#current()).index.teams(name);
  }

  async grants(name: string, groups: readonly string[]): Promise<readonly Grant[]> {
    return (await this.#current()).index.grants(name, groups);
  }

  async clusterRole(name: string): Promise<readonly Rule[] | undefined> {
    return (await this.#current()).index.clusterRole(name);
  }

  async publicNamespaces(): Promise<ReadonlySet<string>> {
    return (await this.#current()).index.publicNamespaces;
  }

  async issuers(): Promise<readonly Issuer[]> {
    return (await this.#current()).index.issuers;
  }

  async userByLogin(issuer: string, subject: string): Promise<Account | undefined> {
    const [user, ...others] = await this.#ports.store.usersByLogin(USERS, issuer, subject);
    if (others.length === 0) return user;
    this.#ports.log.warn("iam.login-ambiguous", { issuer, users: [user?.name, ...others.map(({ name }) => name)] });
    return undefined;
  }

  async createUser({ name, displayName, email, issuer, subject }: Parameters<Directory["createUser"]>[0]) {
    // Whoever is called so by an issuer is not the administrator that the settings name.
    if (name === BOOTSTRAP_ADMIN) return undefined;
    // Nor someone whom bindings wait for, or were left by: people may choose what their provider calls them.
    this.forget();
    if ((await this.#current()).index.isNamed(name)) return undefined;
    try {
      const user = await this.#ports.client().create(USERS, {
        apiVersion: `${IAM_GROUP}/${IAM_VERSION}`,
        kind: "User",
        metadata: { name },
        spec: {
          identities: [{ issuer, subject }],
          ...(displayName === undefined ? {} : { displayName }),
          ...(email === undefined ? {} : { email }),
        },
      });
      this.forget();
      return { name: user.metadata.name, disabled: false };
    } catch (error) {
      if (error instanceof StatusError && (error.reason === "AlreadyExists" || error.reason === "Invalid")) {
        return undefined;
      }
      throw error;
    }
  }

  /** What is known, of the newest generation unless that was asked for a moment ago. */
  async #current(): Promise<Known> {
    const { store, clock, staleness, log } = this.#ports;
    const now = clock();
    if (this.#known !== undefined && now - this.#askedAt < staleness) return this.#known;
    const forgotten = this.#forgotten;
    this.#questions += 1;
    const question = this.#questions;
    const before = this.#known;
    const versions = before === undefined ? undefined : await store.versions();
    let known: Known;
    if (before !== undefined && versions?.all === before.versions.all) known = before;
    else if (before !== undefined && versions?.policy === before.versions.policy) {
      // Only who there is has changed.
      known = { versions, index: before.index, accounts: new Lru(ACCOUNTS) };
    } else {
      const snapshot = await store.snapshot();
      known = { versions: snapshot.versions, index: new PolicyIndex(snapshot, log), accounts: new Lru(ACCOUNTS) };
    }
    // Another request may have asked later and been answered earlier.
    if (question > this.#answered) {
      this.#answered = question;
      this.#known = known;
      if (forgotten === this.#forgotten) this.#askedAt = now;
    }
    return known;
  }

  async #readAccount(name: string): Promise<Account | undefined> {
    const { store } = this.#ports;
    const robot = parseServiceAccountIdentity(name);
    if (robot !== undefined) {
      const found = await store.account(SERVICE_ACCOUNTS, robot.namespace, robot.name);
      return found === undefined ? undefined : { name, disabled: found.disabled };
    }
    if (name.startsWith("system:")) return undefined;
    return store.account(USERS, "", name);
  }
}
