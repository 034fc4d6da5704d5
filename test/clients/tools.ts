import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TOOLS, TOOLS_BIN } from "../support/tool-paths.ts";
import { installController } from "./controller/install.ts";
import { installOldKubectl } from "./kubectl/install.ts";
import { installPythonClients } from "./python/install.ts";

/** Programs of the distribution, by the package that has them. */
const PACKAGES = {
  curl: "curl",
  skopeo: "skopeo",
  "docker-registry": "docker-registry",
  chromium: "chromium",
  htpasswd: "apache2-utils",
  wrk: "wrk",
  nginx: "nginx-light",
  kubectl: "kubernetes-client",
  dockerd: "docker.io",
  containerd: "containerd",
  python3: "python3-venv",
} as const;

/** A client that is built from source, at one version. */
interface GoProgram {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** Import path of the `main` package. */
  readonly main: string;
  /** The module is in no checksum database. */
  readonly unsummed?: true;
}

const GO_PROGRAMS: readonly GoProgram[] = [
  {
    name: "conformance",
    module: "github.com/opencontainers/distribution-spec/conformance",
    version: "v0.0.0-20260730175803-fee21197eb94",
    main: "github.com/opencontainers/distribution-spec/conformance",
  },
  {
    name: "crane",
    module: "github.com/google/go-containerregistry",
    version: "v0.22.1",
    main: "github.com/google/go-containerregistry/cmd/crane",
  },
  { name: "oras", module: "oras.land/oras", version: "v1.3.0", main: "oras.land/oras/cmd/oras", unsummed: true },
  {
    name: "regctl",
    module: "github.com/regclient/regclient",
    version: "v0.11.7",
    main: "github.com/regclient/regclient/cmd/regctl",
  },
  {
    name: "regsync",
    module: "github.com/regclient/regclient",
    version: "v0.11.7",
    main: "github.com/regclient/regclient/cmd/regsync",
  },
  {
    name: "registry",
    module: "github.com/distribution/distribution/v3",
    version: "v3.0.0",
    main: "github.com/distribution/distribution/v3/cmd/registry",
  },
  ...["buildkitd", "buildctl"].map((name) => ({
    name,
    module: "github.com/moby/buildkit",
    version: "v0.34.2",
    main: `github.com/moby/buildkit/cmd/${name}`,
  })),
  { name: "helm", module: "helm.sh/helm/v3", version: "v3.22.0", main: "helm.sh/helm/v3/cmd/helm" },
];

const MINUTE = 60_000;

/**
 * Installs the clients that the end-to-end tests use, those that are not here yet.
 * @throws if one cannot be had: a missing client is a failure, never a skipped test
 */
export function installTools(): void {
  installPackages();
  for (const program of GO_PROGRAMS) buildProgram(program);
  installOldKubectl();
  installPythonClients();
  installController();
}

function installPackages(): void {
  const missing = Object.entries(PACKAGES).filter(([program]) => !isInstalled(program));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  const install = [
    "install",
    "--yes",
    "--no-install-recommends",
    // Another installation on the same machine ends sooner or later.
    "--option=DPkg::Lock::Timeout=300",
    ...packages,
  ];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  if (!succeeds("apt-get", install, { env })) {
    // A bare machine has no list of packages, or an old one.
    execute("apt-get", ["update"], { env });
    execute("apt-get", install, { env });
  }
  // Some come as services; tests start their own, on loopback or on sockets of their own.
  for (const service of ["docker-registry", "nginx", "docker", "containerd"]) {
    if (packages.some((name) => name.startsWith(service))) succeeds("systemctl", ["disable", "--now", service], {});
  }
  const absent = missing.filter(([program]) => !isInstalled(program)).map(([program]) => program);
  if (absent.length > 0) throw new Error(`still missing after their installation: ${absent.join(", ")}`);
}

function isInstalled(program: string): boolean {
  return (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .some((folder) => folder !== "" && existsSync(path.join(folder, program)));
}

/**
 * Builds one program from a module of its own that requires it. `go install` would do for most, but it looks for the
 * newest version first, and not every module is listed by version.
 */
function buildProgram({ name, module, version, main, unsummed }: GoProgram): void {
  const [binary, stamp] = [path.join(TOOLS_BIN, name), path.join(TOOLS_BIN, `${name}.version`)];
  if (existsSync(binary) && existsSync(stamp) && readFileSync(stamp, "utf8") === version) return;
  console.log(`building ${name} ${version}`);
  const folder = path.join(TOOLS, "build", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  mkdirSync(TOOLS_BIN, { recursive: true });
  const go = goVersion();
  writeFileSync(path.join(folder, "go.mod"), `module tool\n\ngo ${go}\n\nrequire ${module} ${version}\n`);
  const env = {
    ...process.env,
    GOFLAGS: "-mod=mod -buildvcs=false",
    CGO_ENABLED: "0",
    ...(unsummed ? { GONOSUMDB: module } : {}),
  };
  execute("go", ["build", "-trimpath", "-o", "program", main], { cwd: folder, env });
  // Only a finished program gets the name, and only then the stamp.
  renameSync(path.join(folder, "program"), binary);
  writeFileSync(stamp, version);
}

function goVersion(): string {
  const { stdout } = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  const version = /^go([0-9.]+)/.exec(stdout ?? "")?.[1];
  if (version === undefined) throw new Error("Go is needed to build the clients; `go env GOVERSION` did not answer");
  return version;
}

function execute(command: string, args: readonly string[], options: SpawnSyncOptions): void {
  if (!succeeds(command, args, options)) throw new Error(`failed: ${command} ${args.join(" ")}`);
}

function succeeds(command: string, args: readonly string[], options: SpawnSyncOptions): boolean {
  const { status } = spawnSync(command, args, {
    ...options,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: 20 * MINUTE,
  });
  return status === 0;
}

if (import.meta.main) installTools();
