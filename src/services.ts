import { waitUntil } from "cloudflare:workers";
import { type Cors, createCors, failureReporter, type ReportFailure, requestIds } from "./http/index.ts";
import { createAccess } from "./access-services.ts";
import { createSync, type Sync } from "./sync-services.ts";
import {
  executionHubClass,
  ExecutionStore,
  LogStore,
  registryBudgetClass,
  type SyncRestServices,
} from "./sync/index.ts";
import { loginGuardClass } from "./access/index.ts";
import {
  type BlobStore,
  createContent,
  DiskBlobStore,
  EdgeCache,
  PartMemory,
  presigner,
  R2BlobStore,
  S3BlobStore,
  uploadSessionClass,
} from "./content/index.ts";
import { contentGroup, type DistributionServices } from "./distribution/index.ts";
import {
  contentUsageNumbers,
  databaseSize,
  databaseUsageNumbers,
  type DeliveryPorts,
  Maintenance,
  type UsageServices,
} from "./operations/index.ts";
import { decidesAccess } from "./iam/index.ts";
import {
  type Config,
  ConfigError,
  consoleLog,
  clientAddress,
  type Database,
  type Env,
  InstanceStore,
  type Fetch,
  type Log,
  openDatabase,
  Outbound,
  parseConfig,
  Retries,
  systemClock,
  Turns,
} from "./platform/index.ts";
import {
  type ApiServices,
  type Authorizer,
  authorizerChain,
  createResources,
  groupAuthorizer,
  type ResourceClient,
  ResourceStore,
  roleAuthorizer,
  scopeAuthorizer,
  systemAuthorizer,
  watchHubClass,
  WatchLimit,
} from "./resources/index.ts";
import { createSecrets, SECURE_VALUES } from "./secrets/index.ts";
import { dataSourceGroups } from "./datasources/index.ts";
import { type AuditServices, createAudit } from "./audit/index.ts";
import type { AuthServices } from "./auth/index.ts";

/** Everything the Worker serves from, made once per isolate. */
export interface Services {
  readonly config: Config;
  readonly log: Log;
  readonly distribution: DistributionServices;
  readonly resources: ApiServices;
  readonly access: AuthServices;
  readonly audit: AuditServices;
  readonly usage: UsageServices;
  readonly maintenance: Maintenance;
  /** What does the messages of queues. */
  readonly messages: DeliveryPorts;
  readonly sync: Sync;
  readonly syncRest: SyncRestServices;
  /** One id per request, as the audit and the answer have it. */
  readonly requestId: (request: Request) => string;
  readonly reportFailure: ReportFailure;
  /** What pages of other origins may do, if anything. */
  readonly cors: Cors | undefined;
  /** Ends long answers soon, since the server is about to stop. */
  stop(): void;
}

const SECOND = 1000;

/** By environment: Durable Objects may be given another object than requests are. */
const made = new WeakMap<Env, Services>();

/**
 * The services for `env`: the only place that reads it.
 * @throws {ConfigError} if a setting is wrong
 */
export function servicesOf(env: Env): Services {
  const services = made.get(env) ?? createServices(env);
  made.set(env, services);
  return services;
}

function createServices(env: Env): Services {
  const config = parseConfig({ ...env });
  if (config.ACCESS !== "closed" && env.DISK === undefined)
    throw new ConfigError(`ACCESS: ${config.ACCESS} is for self-hosts on loopback`);
  const log = consoleLog(config.LOG_LEVEL);
  const clock = systemClock;
  const database = databaseOf(env);
  const network = networkOf(env);
  const outbound = new Outbound({
    fetch: network,
    allowPrivate: config.OUTBOUND_PRIVATE === "allow",
  });
  const client = (): ResourceClient => resources.client;
  const secrets = createSecrets({
    database,
    clock,
    log,
    outbound,
    secretsKey: config.SECRETS_KEY,
    client,
    grace: config.GC_GRACE_SECONDS * SECOND,
  });
  const instance = new InstanceStore(database, secrets.wrapper);
  const content = createContent({
    config,
    database,
    store: blobStore(env, config),
    sessions: env.UPLOAD_SESSIONS,
    retries,
    instance,
    edge: edgeCache(config, log),
    clock,
    log,
    background: waitUntil,
  });
  const isDeployed = env.DISK === undefined;
  const requestId = requestIds({ cloudflare: isDeployed, clock });
  const address = clientAddress(config.CLIENT_ADDRESS_HEADER ?? (isDeployed ? "cf-connecting-ip" : undefined));
  const ledger = createAudit({
    database,
    clock,
    log,
    background: waitUntil,
    requestId,
    clientAddress: address,
    accountExists: (name) => access.accountExists(name),
    reads: config.AUDIT_READS,
  });
  const audit = ledger.log;
  const access = createAccess({
    env,
    config,
    database,
    clock,
    log,
    outbound,
    client,
    decrypter: secrets.decrypter,
    wrapper: secrets.wrapper,
    instance,
    audit,
    address,
    background: waitUntil,
  });
  const { gate } = access;
  const reportFailure = failureReporter(log, requestId);
  const sync = createSync({
    env,
    config,
    database,
    clock,
    log,
    outbound,
    network,
    content,
    client,
    decrypter: secrets.decrypter,
    standing: (writer) => gate.standing(writer),
    use: () => resources.use,
    background: waitUntil,
  });
  const resources = createResources({
    database,
    clock,
    log,
    hubs: env.WATCH_HUBS,
    enqueue: async (step, delaySeconds) => {
      await env.MAINTENANCE.send(step, { delaySeconds });
    },
    background: waitUntil,
    staleness: config.READ_STALENESS_MS,
    authorizer: () => authorizer,
    secretKind: SECURE_VALUES,
    changed: (kind) => {
      if (decidesAccess(kind)) access.forget();
    },
    groups: [
      ...access.groups,
      ledger.group,
      secrets.group,
      ...dataSourceGroups({ outbound, decrypter: secrets.decrypter, client }),
      contentGroup({ ...content, gate, clock, readOnly: config.READ_ONLY }),
      sync.group,
    ],
  });
  resources.usage.contribute(async () => contentUsageNumbers(await content.usage.count()));
  // The file of a self-host has no limit.
  resources.usage.contribute(async () => databaseUsageNumbers(await databaseSize(database), isDeployed, log));
  let stopping = false;
  const authorizer: Authorizer = authorizerChain([
    systemAuthorizer,
    scopeAuthorizer,
    groupAuthorizer(resources.registry),
    roleAuthorizer(gate),
  ]);
  const maintenance = new Maintenance({
    collector: content.collector,
    resources: resources.maintenance,
    secrets: secrets.maintenance,
    usage: resources.usage,
    hasSecretsKey: config.SECRETS_KEY !== undefined,
    queue: env.MAINTENANCE,
    clock,
    log,
    eventRetention: config.EVENT_RETENTION_SECONDS * SECOND,
    audit: ledger.chain,
    auditRetention: config.AUDIT_RETENTION_SECONDS * SECOND,
    access: access.remains,
    sync: sync.maintenance,
  });
  return {
    config,
    log,
    distribution: {
      ...content,
      gate,
      audit,
      auditReads: config.AUDIT_READS,
      reportFailure,
      readOnly: config.READ_ONLY,
      chunkMinLength: config.CHUNK_MIN_LENGTH,
      openUploads: config.UPLOADS_PER_ACCOUNT,
    },
    resources: {
      gate,
      audit,
      registry: resources.registry,
      authorizer,
      stopping: () => stopping,
      watches: new WatchLimit(config.WATCHES_PER_ACCOUNT, clock),
      clock,
      defer: resources.defer,
      rest: () => turns.rest(),
      reportFailure,
    },
    access: access.http,
    audit: ledger.rest({ gate, authorizer, reportFailure }),
    requestId,
    reportFailure,
    cors: createCors(config.CORS_ORIGINS),
    stop() {
      stopping = true;
    },
    usage: { gate, authorizer, usage: resources.usage, reportFailure },
    sync,
    messages: { consumers: [sync.messages, maintenance], log, random: Math.random },
    syncRest: sync.rest({ gate, authorizer, audit, registry: resources.registry, reportFailure }),
    maintenance,
  };
}

/** One for the isolate: requests and Durable Objects share its event loop. */
const wait = (milliseconds: number): Promise<void> => scheduler.wait(milliseconds);
const turns = new Turns({ clock: systemClock, wait });
const retries = new Retries({ clock: systemClock, wait, random: Math.random });

/** A request has come in. */
export function heard(): void {
  turns.heard();
}

/** The database; on a self-host it is in this process, and its callers take turns. */
function databaseOf(env: Env): Database {
  return openDatabase(env.DB, { turns: env.DISK === undefined ? undefined : turns, retries });
}

/** The network by which other services are called. Storage is not one of them: whoever runs the server set it up. */
function networkOf({ OUTBOUND_NETWORK: bound }: Env): Fetch {
  return (url, init) => (bound === undefined ? fetch(url, init) : bound.fetch(url, init));
}

/** Cloudflare's cache, where there is one. Behind Cloudflare Access it keeps nothing, and a fill would only read twice. */
function edgeCache({ EDGE_CACHE: isOn, CF_ACCESS_TEAM_DOMAIN: team }: Config, log: Log): EdgeCache | undefined {
  if (!isOn || team !== undefined) return undefined;
  return new EdgeCache({ cache: caches.default, clock: systemClock, log, background: waitUntil });
}

function blobStore(env: Env, config: Config): BlobStore {
  switch (config.STORAGE) {
    case "r2":
      if (env.BLOBS === undefined) throw new ConfigError("STORAGE: r2 needs the binding BLOBS");
      return new R2BlobStore(env.BLOBS, retries, {
        presign: config.s3 === undefined ? undefined : presigner(config.s3),
        simulated: env.DISK !== undefined,
      });
    case "filesystem":
      if (env.DISK === undefined)
        throw new ConfigError("STORAGE: filesystem is for self-hosts; it needs the binding DISK");
      return new DiskBlobStore(env.DISK);
    case "s3":
      if (config.s3 === undefined) throw new ConfigError("S3_ENDPOINT: required by STORAGE=s3");
      return new S3BlobStore(config.s3, (input, init) => fetch(input, init));
  }
}

/** The Durable Object class of upload sessions, with this Worker's services. */
export class UploadSession extends uploadSessionClass(uploadPorts) {}

/** One for all sessions of the isolate. */
let memory: PartMemory | undefined;

function uploadPorts(env: Env) {
  const { config, log } = servicesOf(env);
  const store = blobStore(env, config);
  const { partSize } = store.multipart;
  if (partSize !== undefined) memory ??= new PartMemory(partSize, systemClock);
  return { store, memory, clock: systemClock, log, namespace: env.UPLOAD_SESSIONS };
}

/** The Durable Object class of watch hubs, with this Worker's services. */
export class WatchHub extends watchHubClass((env: Env) => ({
  store: new ResourceStore(databaseOf(env), systemClock),
  log: servicesOf(env).log,
})) {}

/** The Durable Object class of the budgets of registries, with this Worker's clock. */
export class RegistryBudget extends registryBudgetClass(() => ({ clock: systemClock })) {}

/** The Durable Object class of the hub of runs, with this Worker's services. */
export class ExecutionHub extends executionHubClass((env: Env) => ({
  executions: new ExecutionStore(databaseOf(env), systemClock),
  logs: new LogStore(databaseOf(env)),
  clock: systemClock,
  log: servicesOf(env).log,
})) {}

/** The Durable Object class of login guards, with this Worker's clock. */
export class LoginGuard extends loginGuardClass(() => ({ clock: systemClock })) {}
