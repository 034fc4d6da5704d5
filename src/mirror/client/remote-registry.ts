import type { Clock, Fetch } from "../../platform/index.ts";
import type { Budget } from "../ports.ts";
import { type Registry, RegistryError, type TargetRepository } from "../registry.ts";
import { addressRules } from "./address-rules.ts";
import { createAuthorizer } from "./auth/authorizer.ts";
import { createEcrApi } from "./auth/ecr.ts";
import { repositoryScope } from "./auth/scopes.ts";
import type { Browser, BrowserPorts } from "./browse/browser.ts";
import { catalogBrowser, noBrowser } from "./browse/catalog.ts";
import { dockerHubBrowser } from "./browse/docker-hub.ts";
import { type Harbor, harborBrowser } from "./browse/harbor.ts";
import { quayBrowser } from "./browse/quay.ts";
import { learnCapabilities } from "./capabilities.ts";
import type { Credential } from "./credential.ts";
import { createHttpClient, discard } from "./http-client.ts";
import { checkedName, checkedReference } from "./names.ts";
import { readingFrom } from "./reading.ts";
import { createRegistryClient } from "./registry-client.ts";
import { detectRegistryType, registryAddress, type RegistryType } from "./registry-type.ts";
import { writingTo } from "./writing.ts";

/** A registry somewhere else, and what it is called with. */
export interface RemoteRegistryOptions {
  /** As the configuration calls it; stands in messages. */
  readonly name: string;
  /** `ghcr.io`, `https://registry.example.com:5000`. */
  readonly url: string;
  /** What it is; read off the host name if absent or `generic`. */
  readonly type?: RegistryType;
  readonly credential?: Credential;
  /** Whether plain `http:` may be spoken. */
  readonly insecure?: boolean;
  /** Whether private addresses may be called (`OUTBOUND_PRIVATE`). */
  readonly allowPrivate: boolean;
  readonly fetch: Fetch;
  readonly budget: Budget;
  readonly clock: Clock;
  /** Ends everything that is under way. */
  readonly signal: AbortSignal;
  readonly userAgent?: string;
}

const PRODUCTS_WITHOUT_LIST: Partial<Record<RegistryType, string>> = {
  ghcr: "the GitHub container registry",
  gitlab: "the GitLab container registry",
};

/**
 * A client of any registry that speaks OCI. It tries nothing again but a request whose token was refused; what fails
 * is thrown as a `RegistryError`. Throws `refused` at once for an address that is none.
 */
export function createRemoteRegistry(options: RemoteRegistryOptions): Registry {
  const { name: registry, clock, credential = { kind: "anonymous" }, insecure = false } = options;
  const base = registryAddress(options.url, insecure);
  if (base === undefined) {
    throw new RegistryError(
      "refused",
      `${registry}: its url has to be https, or http and marked as insecure, without credentials`,
    );
  }
  const detected = detectRegistryType(base.hostname);
  const type = options.type === undefined || options.type === "generic" ? detected : options.type;
  const capabilities = learnCapabilities(type);
  const addresses = addressRules(registry, insecure, options.allowPrivate);
  const http = createHttpClient({ ...options, registry, addresses, userAgent: options.userAgent ?? "entrepot" });
  const ecr = credential.kind === "ecr" ? createEcrApi(credential, { registry, base, http, clock }) : undefined;
  const authorizer = createAuthorizer({ registry, base, credential, http, clock, ecr });
  const client = createRegistryClient({ registry, base, clock }, http, authorizer);
  const ports: BrowserPorts = { client, http, credential };
  const harbor = type === "harbor" ? harborBrowser(ports) : undefined;
  const browser = harbor ?? browserOf(type, ports);
  const prepared = new Set<string>();

  /** Docker Hub's own images are below `library`. */
  function fullName(name: string): string {
    return checkedName(detected === "docker-hub" && !name.includes("/") ? `library/${name}` : name);
  }

  function repository(given: string, access: "pull" | "push"): TargetRepository {
    const name = fullName(given);
    const context = { client, name, scopes: [repositoryScope(name, access)], capabilities };
    const writing = writingTo(context);
    return {
      ...readingFrom(context),
      ...writing,
      mount: (digest, from) => writing.mount(digest, fullName(from)),
      ...(harbor === undefined ? {} : { deleteTag: (tag) => deleteHarborTag(harbor, name, tag) }),
    };
  }

  return {
    name: registry,
    origin: `${base.origin}${base.pathname.replace(/\/$/, "")}`,
    capabilities: () => capabilities.current(),
    repository,
    repositories: (project) => browser.repositories(project),
    projects: () => browser.projects(),
    async check() {
      const hello = { method: "GET", to: "", what: "GET /v2/", scopes: [], expect: [200] };
      await discard(await client.call(hello));
      // Where everybody is let in, a wrong password is noticed only if it is shown.
      if (authorizer.presume()) await discard(await client.call(hello));
    },
    async prepare(given) {
      const name = fullName(given);
      const place = harbor === undefined ? name : (name.split("/")[0] ?? name);
      if (prepared.has(place)) return;
      await ecr?.createRepository(name);
      await harbor?.createProject(place);
      prepared.add(place);
    },
  };
}

function browserOf(type: RegistryType, ports: BrowserPorts): Browser {
  const product = PRODUCTS_WITHOUT_LIST[type];
  if (product !== undefined) return noBrowser(ports.client.registry, product);
  if (type === "docker-hub") return dockerHubBrowser(ports);
  return type === "quay" ? quayBrowser(ports) : catalogBrowser(ports);
}

async function deleteHarborTag(harbor: Harbor, name: string, tag: string): Promise<void> {
  await harbor.deleteTag(name, checkedReference(tag));
}
