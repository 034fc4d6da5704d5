import { readFileSync, rmSync, statSync } from "node:fs";
import type { ClientHome } from "./client-home.ts";

/** What the conformance program of the distribution specification found. */
export interface ConformanceReport {
  readonly exitCode: number | null;
  /** How many checks had each result: `Pass`, `FAIL`, `Skip`, `Disabled`, `Error`. */
  readonly totals: Readonly<Record<string, number>>;
  /** The result for each interface and each kind of data, by name. */
  readonly results: Readonly<Record<string, string>>;
  /** Lines of the checks that failed, for the reader of a failed test. */
  readonly failures: readonly string[];
}

/** Where and as whom it tests. */
export interface ConformanceTarget {
  /** `<address>:<port>` */
  readonly host: string;
  /** The certificate to trust; plain HTTP without one. */
  readonly certificate?: string;
  readonly username?: string;
  readonly password?: string;
}

/**
 * Runs the conformance program, at the development version of the specification and with everything on but sparse
 * manifests, which a registry may refuse, and this one does.
 * @throws if it wrote no results: it exits with 0 when it could not even begin
 */
export async function runConformance(home: ClientHome, target: ConformanceTarget): Promise<ConformanceReport> {
  const folder = home.path("conformance");
  rmSync(folder, { recursive: true, force: true });
  const begun = Date.now();
  const finished = await home.attempt("conformance", [], {
    env: {
      ...EVERYTHING,
      OCI_REGISTRY: target.host,
      // Its own `insecure` mode has no effect; Go's certificate pool is.
      ...(target.certificate === undefined
        ? { OCI_TLS: "disabled" }
        : { OCI_TLS: "enabled", SSL_CERT_FILE: target.certificate }),
      OCI_USERNAME: target.username ?? "",
      OCI_PASSWORD: target.password ?? "",
      OCI_REPO1: "conformance/first",
      OCI_REPO2: "conformance/second",
      OCI_RESULTS_DIR: folder,
    },
    timeout: TIMEOUT_MS,
  });
  const file = `${folder}/results.yaml`;
  const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  // Times of files are those of the kernel's clock tick, a little behind.
  if (written === undefined || written < begun - 1000) {
    throw new Error(
      `conformance ended with ${finished.code ?? "a signal"} and wrote no results:\n${finished.stdout}${finished.stderr}`,
    );
  }
  return {
    exitCode: finished.code,
    totals: totals(finished.stdout),
    results: results(readFileSync(file, "utf8")),
    failures: finished.stdout
      .split("\n")
      .filter((line) => /: (FAIL|Error)\b/.test(line))
      .slice(0, SHOWN),
  };
}

/** It takes five seconds on an idle machine. */
const TIMEOUT_MS = 120_000;

/** Failed checks that a report shows; all of them, when nothing works, would bury the rest. */
const SHOWN = 20;

const APIS = [
  "PING",
  "PULL",
  "PUSH",
  "REFERRER",
  "BLOBS_ATOMIC",
  "BLOBS_DELETE",
  "BLOBS_DIGEST_HEADER",
  "BLOBS_MOUNT_ANONYMOUS",
  "BLOBS_UPLOAD_CANCEL",
  "MANIFESTS_ATOMIC",
  "MANIFESTS_DELETE",
  "MANIFESTS_DIGEST_HEADER",
  "MANIFESTS_TAG_PARAM",
  "TAGS_ATOMIC",
  "TAGS_DELETE",
  "TAGS_LIST",
];

const DATA = [
  "IMAGE",
  "INDEX",
  "INDEX_LIST",
  "ARTIFACT",
  "SUBJECT",
  "SUBJECT_MISSING",
  "ARTIFACT_LIST",
  "SUBJECT_LIST",
  "DATA_FIELD",
  "NONDISTRIBUTABLE",
  "CUSTOM_FIELDS",
  "NO_LAYERS",
  "EMPTY_BLOB",
  "SHA512",
];

/** Said one by one, so that a default that changes takes no check away. */
const EVERYTHING: Readonly<Record<string, string>> = {
  OCI_VERSION: "dev",
  ...Object.fromEntries(APIS.map((name) => [`OCI_API_${name}`, "true"])),
  ...Object.fromEntries(DATA.map((name) => [`OCI_DATA_${name}`, "true"])),
  OCI_DATA_SPARSE: "false",
};

/** Reads the lines `  FAIL......: 0` of the report. */
function totals(report: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [, name, count] of report.matchAll(/^ {2}(\w+)\.+: +(\d+)$/gm)) {
    if (name !== undefined) found[name] = Number(count);
  }
  return found;
}

/** Reads the lines `  Blob push: Pass` below `apis:` and `data:` of the results. */
function results(yaml: string): Record<string, string> {
  const found: Record<string, string> = {};
  const [, body = ""] = yaml.split(/^apis:$/m);
  for (const [, name, result] of body.matchAll(/^ {2}([^:]+): (\w+)$/gm)) {
    if (name !== undefined && result !== undefined) found[name] = result;
  }
  return found;
}
