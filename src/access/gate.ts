import { type Clock, err, isLoopbackAddress, type Log, ok, type Result } from "../platform/index.ts";
import type { Authenticator } from "./authenticator.ts";
import { type ChallengeDetails, type ChallengeSettings, challengeText } from "./challenge.ts";
import type { Directory } from "./directory.ts";
import {
  ANONYMOUS,
  type AuthenticationFailure,
  GROUPS,
  type Identity,
  isAnonymous,
  type Principal,
  type RepositoryVerb,
  systemIdentity,
  type Writer,
} from "./identity.ts";
import type { AccessDecision, AccessRequest, Grant } from "./policy.ts";
import { compilePolicy, mastersPolicy } from "./policy-evaluation.ts";
import { credentialText, looksLikeApiKey, parseCredential } from "./presented-credential.ts";
import { REPOSITORIES, repositoryAccess, scopeAllows, scopeAllowsCatalog } from "./repository-access.ts";
import { needsProof } from "./session/csrf.ts";
import { sameOrigin } from "./session/own-origin.ts";
import { type ReadingOnce, readingOnce } from "./reading-once.ts";
import type { SettingsAccount } from "./settings-accounts.ts";
import { sillyPrincipal } from "./silly.ts";
import { credentialKey, VerifiedCache } from "./verified-cache.ts";
import type { Audit, FailedSignIn } from "./audit.ts";

/** Decides who a request is from and what it may do. Every route of every surface asks it. */
export interface Gate {
  /**
   * Who a request is from. Without a credential it is `system:anonymous` of the group `system:unauthenticated`, which
   * may pull from public namespaces. A wrong credential is a failure, also where none is needed.
   * @param alongside is called in the turn in which the rights of someone who is all but known are read, so that what else
   * the request needs of the database is read with them. It may be called for someone who is then refused: what it read is
   * not to be used, nor kept, before. `likely` is who it was a moment ago, if that is known.
   */
  authenticate(
    request: Request,
    alongside?: (likely: Identity | undefined) => void,
  ): Promise<Result<Identity, AuthenticationFailure>>;
  /** The identity of someone whose credential was checked otherwise. Fails if there is no such account, or it is disabled. */
  identify(principal: Principal): Promise<Result<Identity, AuthenticationFailure>>;
  /**
   * Someone who wrote something earlier, with what they hold now: for what acts in their name without them. Fails if
   * there is no such account any more, or it is disabled.
   */
  standing(writer: Writer): Promise<Result<Identity, AuthenticationFailure>>;
  /** Whether the scope of the credential and then the policy allow it. */
  decide(identity: Identity, request: AccessRequest): AccessDecision;
  /** The same for the actions of `/v2`. `repository` is the whole name; absent for `catalog`. */
  allows(identity: Identity, verb: RepositoryVerb, repository?: string): boolean;
  /** The value of `WWW-Authenticate` for a request that was not authenticated, or not for enough. */
  challenge(request: Request, about?: ChallengeDetails): string;
}

/** Settings that decide how the gate works. */
export interface GateSettings {
  /** `ACCESS`. With `open`, everyone may do everything as long as there is no credential at all. */
  readonly access: "closed" | "open" | "silly";
  /** Whether `Cf-Access-Jwt-Assertion` counts. */
  readonly accessAssertion: boolean;
  readonly challenge: ChallengeSettings;
}

/** What the gate works with. */
export interface GatePorts {
  readonly settings: GateSettings;
  readonly directory: Pick<
    Directory,
    "generation" | "account" | "teams" | "grants" | "clusterRole" | "publicNamespaces"
  >;
  /** In order: the first that knows the kind of a credential decides. */
  readonly authenticators: readonly Authenticator[];
  /** What the settings give to a name (`settingsAccounts`). */
  readonly settingsAccount: (name: string) => SettingsAccount | undefined;
  /** Whether there is any credential with which someone could get in (`configuredCheck`). */
  readonly configured: () => Promise<boolean>;
  readonly audit: Pick<Audit, "recordFailedSignIn">;
  /** The client's address, if it is known. */
  readonly address: (request: Request) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

type Authenticated = Result<Identity, AuthenticationFailure>;

/** What comes of a name rather than of the credential. */
type Holder = Pick<Identity, "groups" | "policy">;

/** Everyone, on a server that is open. */
const EVERYONE: Identity = {
  name: ANONYMOUS,
  groups: [GROUPS.unauthenticated, GROUPS.masters],
  credential: { type: "none" },
  policy: mastersPolicy,
};

export function createGate(ports: GatePorts): Gate {
  const { settings, directory, authenticators, settingsAccount, audit, address, clock, log } = ports;
  const verified = new VerifiedCache<Identity>(clock);
  const isConfigured = configuredOnce(ports);
  /** What those without a credential might do when it was looked at last: good for a guess. */
  let nobodyOfLate: Identity | undefined;
  const isLoopback = loopbackAddresses();

  async function authenticate(
    request: Request,
    alongside: (likely: Identity | undefined) => void = () => {},
  ): Promise<Authenticated> {
    const shown = credentialText(request.headers, {
      accessAssertion: settings.accessAssertion,
      secure: secure(request),
    });
    // Browsers send cookies along with requests of any page, and Cloudflare Access makes an assertion of its own: whether
    // they count depends on where the request comes from, so they are proved each time.
    const key =
      shown?.source === "authorization" ? credentialKey(shown, passwordAddress(shown.text, request)) : undefined;
    const likely = shown === undefined ? nobodyOfLate : key === undefined ? undefined : verified.get(key);
    const presented = shown === undefined ? undefined : parseCredential(shown);
    const reading = readingOnce(directory, alongside);
    if (likely !== undefined) reading.begin(undefined, likely);
    const isNew =
      presented !== undefined && likely === undefined && isConfigured.known() && settings.access !== "silly";
    // What can be found out without reading is found out first, and what is read for a proof is read with the rights.
    const early = isNew ? await prove(presented, request, reading) : undefined;
    const generation = await reading.generation();
    verified.enter(generation);
    if (!(await isConfigured.ask(generation)))
      return settings.access === "open" ? open(request) : err({ reason: "not-configured" });
    if (shown === undefined || presented === undefined) return ok(await anonymous(generation));
    const known = key === undefined ? undefined : verified.get(key);
    if (known !== undefined) return ok(known);
    const isSilly = settings.access === "silly" && shown.source === "authorization";
    const proof = isSilly ? ok(sillyPrincipal(shown.text)) : (early ?? (await prove(presented, request, reading)));
    if (proof.ok) await reading.account(proof.value);
    const identity = proof.ok ? await identify(proof.value) : proof;
    if (!identity.ok) audit.recordFailedSignIn(request, failedSignIn(presented, identity.error));
    else if (key !== undefined) verified.set(generation, key, identity.value, identity.value.expiresAt);
    return identity;
  }

  /**
   * Everyone on this machine may do everything; the pages that their browsers show are not among them. A page of another
   * site may send what changes something, and one whose name was made to lead here (DNS rebinding) may read as well.
   */
  function open(request: Request): Authenticated {
    if (!isLoopback(request.url)) return err({ reason: "not-configured" });
    return isForged(request) ? err({ reason: "forged" }) : ok(EVERYONE);
  }

  function isForged(request: Request): boolean {
    return needsProof(request) && sameOrigin(request, settings.challenge.publicScheme) === false;
  }

  async function prove(
    presented: ReturnType<typeof parseCredential>,
    request: Request,
    reading: ReadingOnce,
  ): Promise<Result<Principal, AuthenticationFailure>> {
    if (!presented.ok) return presented;
    const isAssertion = presented.value.scheme === "access-assertion";
    if (isAssertion && isForged(request)) return err({ reason: "forged" });
    for (const authenticator of authenticators) {
      if (authenticator.announces === undefined) await reading.generation();
      const result = await authenticator.authenticate(presented.value, request, (name) => reading.begin(name));
      if (result !== undefined) return result;
    }
    return failed(`nothing takes a credential of scheme ${presented.value.scheme}`);
  }

  async function identify(principal: Principal): Promise<Authenticated> {
    const { name, scope, expiresAt, issuer } = principal;
    const holder = await holderOf(principal);
    if (!holder.ok) return holder;
    return ok({
      name,
      ...holder.value,
      credential: principal.credential,
      ...(scope !== undefined && { scope }),
      ...(expiresAt !== undefined && { expiresAt }),
      ...(issuer !== undefined && { issuer }),
    });
  }

  async function standing({ name, credential: type, isNamedElsewhere }: Writer): Promise<Authenticated> {
    if (type === "internal") return ok(systemIdentity(name));
    if (settings.access === "silly") return identify({ ...sillyPrincipal(""), name });
    if (name === ANONYMOUS && settings.access === "open" && !(await isConfigured.ask(await directory.generation()))) {
      return ok(EVERYONE);
    }
    return identify({ name, groups: [], credential: { type }, ...(isNamedElsewhere && { issuer: "another" }) });
  }

  /** What a principal holds, unless there is no such account, or it is disabled. */
  async function holderOf(principal: Principal): Promise<Result<Holder, AuthenticationFailure>> {
    const { name, vouched, grants, issuer } = principal;
    if (vouched && grants !== undefined) {
      const group = name === ANONYMOUS ? GROUPS.unauthenticated : GROUPS.authenticated;
      return ok({ groups: [group], policy: compilePolicy(grants, new Set()) });
    }
    // A token that the token service gave to whoever sent no credential.
    if (name === ANONYMOUS) return ok(await nobody());
    // What the settings give to a name is not for those whom another party named.
    const fromSettings = vouched || issuer !== undefined ? undefined : settingsAccount(name);
    if (!vouched) {
      const account = await directory.account(name);
      if (account === undefined && fromSettings === undefined) return failed("unknown account");
      if (account?.disabled) return failed("disabled account");
    }
    const teams = await directory.teams(name);
    const groups = [GROUPS.authenticated, ...principal.groups, ...(fromSettings?.groups ?? []), ...teams];
    const distinct = [...new Set(groups)];
    if (distinct.includes(GROUPS.masters)) return ok({ groups: distinct, policy: mastersPolicy });
    const roles = await roleGrants(fromSettings?.roles ?? []);
    return ok({ groups: distinct, policy: await policyOf(name, distinct, roles) });
  }

  async function nobody(): Promise<Holder> {
    const groups = [GROUPS.unauthenticated];
    return { groups, policy: await policyOf(ANONYMOUS, groups, []) };
  }

  async function policyOf(name: string, groups: readonly string[], more: readonly Grant[]) {
    const [grants, publicNamespaces] = await Promise.all([
      directory.grants(name, groups),
      directory.publicNamespaces(),
    ]);
    return compilePolicy([...grants, ...more], publicNamespaces);
  }

  async function roleGrants(roles: readonly string[]): Promise<Grant[]> {
    const grants: Grant[] = [];
    for (const role of roles) {
      const rules = await directory.clusterRole(role);
      if (rules === undefined) log.warn("access.role-missing", { role, setting: "HTPASSWD_ROLE" });
      else grants.push({ rules, source: `settings ClusterRole/${role}` });
    }
    return grants;
  }

  async function anonymous(generation: string): Promise<Identity> {
    const known = verified.get(ANONYMOUS);
    if (known !== undefined) return known;
    const identity: Identity = { name: ANONYMOUS, ...(await nobody()), credential: { type: "none" } };
    nobodyOfLate = identity;
    verified.set(generation, ANONYMOUS, identity, undefined);
    return identity;
  }

  /** A password is known again from the same address only: elsewhere it is a guess, and guesses are counted. */
  function passwordAddress(authorization: string, request: Request): string | undefined {
    return /^basic /i.test(authorization) ? address(request) : undefined;
  }

  function secure(request: Request): boolean {
    return (settings.challenge.publicScheme ?? request.url.slice(0, request.url.indexOf(":"))) === "https";
  }

  return {
    authenticate,
    identify,
    standing,
    decide,
    allows,
    challenge: (request, about) => challengeText(settings.challenge, request.url, about),
  };
}

function decide(identity: Identity, request: AccessRequest): AccessDecision {
  if (identity.scope !== undefined && !scopeAllows(identity.scope, request))
    return { allowed: false, reason: "out-of-scope" };
  return identity.policy.decide(request);
}

function allows(identity: Identity, verb: RepositoryVerb, repository?: string): boolean {
  if (verb !== "catalog")
    return repository !== undefined && decide(identity, repositoryAccess(verb, repository)).allowed;
  if (identity.scope !== undefined && !scopeAllowsCatalog(identity.scope)) return false;
  // Nobody in particular gets no list of what there is, except where everyone may do everything.
  return !isAnonymous(identity) && identity.policy.mayIn({ verb: "pull", ...REPOSITORIES });
}

/** Asks once per generation as long as the answer is no, and never again after. */
function configuredOnce({ configured, settings }: GatePorts) {
  let found = settings.access === "silly";
  let asked: string | undefined;
  return {
    /** Whether the answer was yes. */
    known: () => found,
    async ask(generation: string): Promise<boolean> {
      if (found || asked === generation) return found;
      found ||= await configured();
      asked = generation;
      return found;
    },
  };
}

/** Whether a request's URL is at a loopback name. Requests ask for the same few hosts again and again. */
function loopbackAddresses(): (url: string) => boolean {
  let last = { origin: "", isLoopback: false };
  return function isLoopback(url) {
    const origin = url.slice(0, url.indexOf("/", "https://".length));
    if (origin !== last.origin) last = { origin, isLoopback: isLoopbackAddress(new URL(url)) };
    return last.isLoopback;
  };
}

function failed(detail: string): Result<never, AuthenticationFailure> {
  return err({ reason: "unauthenticated", detail });
}

/** What the audit keeps of a credential that was refused: never the credential. */
function failedSignIn(presented: ReturnType<typeof parseCredential>, failure: AuthenticationFailure): FailedSignIn {
  const reason = failure.reason === "unauthenticated" ? (failure.detail ?? failure.reason) : failure.reason;
  const status = failure.reason === "locked-out" || failure.reason === "busy" ? 429 : 401;
  if (!presented.ok) return { credential: { type: "none" }, reason, status };
  const credential = presented.value;
  switch (credential.scheme) {
    case "basic":
      return { account: credential.basic.username, credential: { type: "password" }, reason, status };
    case "bearer":
      return { credential: { type: looksLikeApiKey(credential.token) ? "api-key" : "token" }, reason, status };
    case "access-assertion":
    case "session":
      return { credential: { type: credential.scheme }, reason, status };
  }
}
