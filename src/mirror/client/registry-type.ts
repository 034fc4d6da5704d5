/** The products and services whose ways are known. `generic` is everything else that speaks OCI. */
export type RegistryType =
  | "generic"
  | "docker-hub"
  | "ghcr"
  | "quay"
  | "harbor"
  | "ecr"
  | "acr"
  | "artifact-registry"
  | "gitlab"
  | "entrepot";

/** Where Docker Hub's registry is, and what else people call it. */
const DOCKER_HUB = "registry-1.docker.io";
const DOCKER_HUB_NAMES = new Set(["docker.io", "index.docker.io", "hub.docker.com", "www.docker.com", DOCKER_HUB]);

/** `<account>.dkr.ecr.<region>.amazonaws.com` and its relatives (FIPS, China, dual stack). */
const ECR_HOST =
  /^(?<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/;

const BY_HOST: readonly (readonly [RegExp, RegistryType])[] = [
  [/^registry-1\.docker\.io$/, "docker-hub"],
  [/^ghcr\.io$/, "ghcr"],
  [/^quay\.io$/, "quay"],
  [ECR_HOST, "ecr"],
  [/\.azurecr\.(?:io|cn|us)$/, "acr"],
  [/^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)$/, "artifact-registry"],
  [/^registry\.gitlab\.com$/, "gitlab"],
];

/** The type that a host name gives away; `generic` if none. */
export function detectRegistryType(host: string): RegistryType {
  return BY_HOST.find(([pattern]) => pattern.test(host))?.[1] ?? "generic";
}

/** Account and region in the host name of a private Amazon ECR registry. */
export function ecrHost(host: string): { readonly account: string; readonly region: string } | undefined {
  const groups = ECR_HOST.exec(host)?.groups;
  return groups?.["account"] === undefined || groups["region"] === undefined
    ? undefined
    : { account: groups["account"], region: groups["region"] };
}

/**
 * The address of a registry from what people write: with or without a scheme, `/v2` or a slash at the end, and Docker
 * Hub by any of its names. `undefined` if it is not an address, carries credentials, or is `http:` without `insecure`.
 */
export function registryAddress(text: string, insecure: boolean): URL | undefined {
  const trimmed = text.trim();
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `${insecure ? "http" : "https"}://${trimmed}`;
  if (!URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && insecure)) return undefined;
  if (url.username !== "" || url.password !== "" || url.hostname === "") return undefined;
  url.search = "";
  url.hash = "";
  if (DOCKER_HUB_NAMES.has(url.hostname)) return new URL(`https://${DOCKER_HUB}/`);
  url.pathname = `${url.pathname.replace(/\/+$/, "").replace(/\/v[12]$/, "")}/`;
  return url;
}

/**
 * Equal for addresses that lead to one and the same registry, as far as can be told: by whichever scheme or name of this
 * machine. A text that is no address is itself.
 */
export function registryIdentity(text: string): string {
  const url = registryAddress(text, true);
  if (url === undefined) return text;
  const host = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname) ? "localhost" : url.hostname;
  const isUsual = url.port === "" || url.port === "443" || url.port === "80";
  return `${host}${isUsual ? "" : `:${url.port}`}${url.pathname}`;
}
