import {
  attemptGuard,
  type Audit,
  type Authenticator,
  configuredCheck,
  createAuthorizationCode,
  createCloudflareAccess,
  createCsrf,
  createExternalIssuer,
  createFederation,
  createGate,
  createHashing,
  createIssuerKeys,
  createProviders,
  createTokenAuthenticator,
  CredentialStore,
  type CredentialStanding,
  type Gate,
  keyAuthenticator,
  KeyStore,
  keyState,
  newPassword,
  parseHtpasswd,
  PASSWORD_MESSAGES,
  passwordAuthenticator,
  PasswordHasher,
  passwordIds,
  PasswordStore,
  pruneSessions,
  RefreshTokenStore,
  sessionAuthenticator,
  Sessions,
  sessionStanding,
  SessionStore,
  settingsAccounts,
  SigningKeys,
  SigningKeyStore,
  WAIT_MESSAGES,
} from "./access/index.ts";
import { type AuthServices, createAuth } from "./auth/index.ts";
import {
  DirectoryStore,
  displayAuthorizer,
  displayRoute,
  iamGroup,
  mayActAsBy,
  ownAccountAuthorizer,
  ResourceDirectory,
  serviceAccountKind,
  userKind,
} from "./iam/index.ts";
import type { AccessRemains } from "./operations/index.ts";
import {
  type Clock,
  type Config,
  ConfigError,
  type Database,
  observed,
  type Env,
  type InstanceStore,
  instanceHmacKey,
  type KeyWrapper,
  type Log,
  type Outbound,
} from "./platform/index.ts";
import { type GroupBuilder, type ResourceClient, StatusError } from "./resources/index.ts";
import type { SecretDecrypter } from "./secrets/index.ts";

/** What access is made of. */
export interface AccessPorts {
  readonly env: Env;
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly outbound: Outbound;
  /** Asked for when it is needed, not before: it is made after the groups. */
  readonly client: () => ResourceClient;
  readonly decrypter: SecretDecrypter;
  /** Encrypts keys for the database; `undefined` without `SECRETS_KEY`. */
  readonly wrapper: KeyWrapper | undefined;
  readonly instance: InstanceStore;
  readonly audit: Audit;
  /** Where a request comes from. */
  readonly address: (request: Request) => string | undefined;
  /** Work to finish after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

/** Who people are and what they may do, put together. */
export interface Access {
  readonly gate: Gate;
  /** Whether there is an account of that name. */
  accountExists(name: string): Promise<boolean>;
  readonly groups: readonly GroupBuilder[];
  readonly http: AuthServices;
  /** Credentials that come to an end, for maintenance. */
  readonly remains: readonly AccessRemains[];
  /** Has the next request look at the database: something that decides access was written. */
  forget(): void;
}

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

/** How long a key that expired or was revoked is still listed, in milliseconds. */
const KEEP_KEYS = 30 * DAY;

/** As whom secrets of identity providers are read: `spec.decrypters` of the SecureValue lists it. */
const DECRYPTER = "iam.entrepot.dev";

/** @throws {ConfigError} if a setting is wrong */
export function createAccess(ports: AccessPorts): Access {
  const { env, config, database, clock, log, outbound, client, decrypter, wrapper, instance, background } = ports;
  const { audit, address } = ports;
  const adminPassword = config.ADMIN_PASSWORD === undefined ? undefined : newPassword(config.ADMIN_PASSWORD);
  // Nobody could sign in, and nothing would say why.
  if (adminPassword?.ok === false) throw new ConfigError(`ADMIN_PASSWORD: ${PASSWORD_MESSAGES[adminPassword.error]}`);
  const htpasswd = config.HTPASSWD === undefined ? undefined : parseHtpasswd(config.HTPASSWD);
  const settingsAccount = settingsAccounts({
    hasAdmin: config.ADMIN_PASSWORD !== undefined,
    htpasswd,
    htpasswdRole: config.HTPASSWD_ROLE,
  });
  const directory = new ResourceDirectory({
    store: new DirectoryStore(database),
    client,
    clock,
    log,
    staleness: config.READ_STALENESS_MS,
  });

  // What is written in batches has this isolate forget what it remembers.
  const watched = observed(database, () => directory.forget());
  const keys = new KeyStore(watched, clock);
  const passwords = new PasswordStore(watched, clock);
  const hasher = new PasswordHasher();
  const hashing = createHashing({ clock, sleep });
  const credentials = new CredentialStore(watched, clock);
  const sessionStore = new SessionStore(watched);
  const sessions = new Sessions({ store: sessionStore, clock, lifetime: config.SESSION_TTL_SECONDS * SECOND });
  const signingKeyStore = new SigningKeyStore(database);
  const signingKeys = new SigningKeys({ store: signingKeyStore, wrapper, clock });
  const refreshTokens = new RefreshTokenStore(watched);
  const csrf = createCsrf({ key: instanceHmacKey(instance, "csrf-key"), publicScheme: config.PUBLIC_SCHEME });
  const providers = createProviders({ outbound, clock });
  const issuerKeys = createIssuerKeys({ outbound, clock, providers });
  const ids = passwordIds({
    adminPassword: config.ADMIN_PASSWORD,
    htpasswd,
    passwords,
    hasher,
    salt: () => instance.secret("password-salt"),
  });
  const standing: CredentialStanding = {
    async isActive({ id }, identity) {
      const key = id === undefined ? undefined : await keys.find(id);
      return key !== undefined && key.identity === identity && keyState(key, clock()) === "active";
    },
    isCurrent: (user, id) => ids.isCurrent(user, id),
  };
  const tokenPorts = { keys: signingKeys, clock, service: config.TOKEN_SERVICE };
  const byPassword = passwordAuthenticator({
    adminPassword: config.ADMIN_PASSWORD,
    htpasswd,
    passwords,
    hasher,
    hashing,
    ids,
    guard: attemptGuard(env.LOGIN_GUARDS, config.LOGIN_ATTEMPTS, log),
    address,
    clock,
    sleep,
  });
  const external = externalIssuer(config, issuerKeys, clock);
  const cloudflareAccess = accessAssertions(config, directory, issuerKeys, clock);
  const authenticators: readonly Authenticator[] = [
    // Those that can have everything be read at once come first; a password is no key and no token.
    keyAuthenticator({ keys, clock, log, background }),
    byPassword,
    ...(external === undefined ? [createTokenAuthenticator({ ...tokenPorts, standing })] : [external]),
    createFederation({ directory, keys: issuerKeys, clock }),
    ...(cloudflareAccess === undefined ? [] : [cloudflareAccess]),
    sessionAuthenticator({
      sessions,
      stands: sessionStanding(ids, directory),
      isForged: (request, id) => csrf.isForged(request, id),
    }),
  ];
  const hasCredential = [config.ADMIN_PASSWORD, htpasswd, external, cloudflareAccess].some((one) => one !== undefined);
  const gate = createGate({
    settings: {
      access: config.ACCESS,
      accessAssertion: cloudflareAccess !== undefined,
      challenge: {
        kind: config.AUTH_CHALLENGE,
        service: config.TOKEN_SERVICE,
        realm: config.TOKEN_REALM,
        publicScheme: config.PUBLIC_SCHEME,
      },
    },
    directory,
    authenticators,
    settingsAccount,
    configured: configuredCheck(hasCredential, database, directory),
    audit,
    address,
    clock,
    log,
  });
  const tokenService = {
    ...tokenPorts,
    gate,
    audit,
    refresh: {
      store: refreshTokens,
      standing,
      clock,
      service: config.TOKEN_SERVICE,
      ttlSeconds: config.REFRESH_TOKEN_TTL_SECONDS,
    },
    ttlSeconds: config.TOKEN_TTL_SECONDS,
    external: external !== undefined,
  };
  const mayActAs = mayActAsBy(directory, settingsAccount);
  const accounts = { credentials, settingsAccount, clock, keys, mayActAs, client };
  return {
    gate,
    accountExists: async (name) => settingsAccount(name) !== undefined || (await directory.account(name)) !== undefined,
    groups: [
      iamGroup({
        client,
        directory,
        mayActAs,
        accounts: [
          userKind({
            ...accounts,
            passwords: {
              async set(user, password) {
                const hash = await hashing(() => hasher.hash(password));
                if (!hash.ok) throw new StatusError("TooManyRequests", WAIT_MESSAGES.busy, { retryAfterSeconds: 2 });
                await passwords.set(user, hash.value);
              },
              delete: (user) => passwords.delete(user),
            },
            checkPassword: (credential, request) => byPassword.check(credential, request),
          }),
          serviceAccountKind(accounts),
        ],
        routes: [displayRoute(client)],
        authorizers: [ownAccountAuthorizer, displayAuthorizer],
      }),
    ],
    http: createAuth({
      gate,
      directory,
      sessions,
      csrf,
      audit,
      logins: createAuthorizationCode({
        outbound,
        clock,
        providers,
        keys: issuerKeys,
        random: (length) => crypto.getRandomValues(new Uint8Array(length)),
        async secretOf({ namespace, name }) {
          const found = (await decrypter.decrypt(DECRYPTER, namespace, [name])).get(name);
          return found?.ok ? found.value : undefined;
        },
      }),
      loginKey: instanceHmacKey(instance, "login-key"),
      isReserved: (name) => settingsAccount(name) !== undefined,
      sessionSeconds: config.SESSION_TTL_SECONDS,
      publicScheme: config.PUBLIC_SCHEME,
      tokenService,
      kubeconfigs: { keys, accounts: directory, clock, config, settingsAccount },
      clock,
      log,
    }),
    remains: [
      { keep: KEEP_KEYS, prune: (time, limit) => keys.prune(time, limit) },
      { keep: 0, prune: (time, limit) => pruneSessions(database, time, limit) },
      { keep: 0, prune: (time, limit) => refreshTokens.prune(time, limit) },
      { keep: 0, prune: (time) => signingKeyStore.prune(time) },
    ],
    forget: () => directory.forget(),
  };
}

function sleep(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

/** Takes tokens of the external token service, if one is set. @throws {ConfigError} */
function externalIssuer(
  config: Config,
  issuerKeys: ReturnType<typeof createIssuerKeys>,
  clock: Clock,
): Authenticator | undefined {
  const { TOKEN_REALM, TOKEN_ISSUER, TOKEN_JWKS_URL, TOKEN_CERTIFICATES, TOKEN_SERVICE } = config;
  if (TOKEN_REALM === undefined) return undefined;
  if (TOKEN_ISSUER === undefined) throw new ConfigError("TOKEN_ISSUER: required by TOKEN_REALM");
  if (TOKEN_JWKS_URL !== undefined)
    return createExternalIssuer({
      issuer: TOKEN_ISSUER,
      service: TOKEN_SERVICE,
      keys: { jwksUrl: TOKEN_JWKS_URL, issuerKeys },
      clock,
    });
  if (TOKEN_CERTIFICATES === undefined)
    throw new ConfigError("TOKEN_JWKS_URL: it or TOKEN_CERTIFICATES is required by TOKEN_REALM");
  return createExternalIssuer({
    issuer: TOKEN_ISSUER,
    service: TOKEN_SERVICE,
    keys: { certificates: TOKEN_CERTIFICATES },
    clock,
  });
}

/** Takes assertions of Cloudflare Access, if it is set. @throws {ConfigError} */
function accessAssertions(
  { CF_ACCESS_TEAM_DOMAIN: teamDomain, CF_ACCESS_AUDIENCE: audience }: Config,
  directory: ResourceDirectory,
  keys: ReturnType<typeof createIssuerKeys>,
  clock: Clock,
): Authenticator | undefined {
  if (teamDomain === undefined) return undefined;
  if (audience === undefined) throw new ConfigError("CF_ACCESS_AUDIENCE: required by CF_ACCESS_TEAM_DOMAIN");
  return createCloudflareAccess({ directory, keys, clock, teamDomain, audience });
}
