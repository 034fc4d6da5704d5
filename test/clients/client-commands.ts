import { mkdirSync, writeFileSync } from "node:fs";
import { type ClientHome, createClientHome } from "../support/client-home.ts";
import { writeLayout } from "../support/oci-layout.ts";

/** A command line, without the program. */
type Command = readonly string[];

/** A client of registries and how it does what all of them do, by plain HTTP. */
export interface RegistryClient {
  readonly name: string;
  /** Login asks the registry whether the password is right, rather than just keep it. */
  readonly checks: boolean;
  /** What has to be said once in a new home. */
  readonly prepare?: (host: string) => Command;
  login(host: string, username: string, password: string): Command;
  /** Pushes what `prepareClient` wrote to `<repository>`, whose last component is `app`. */
  push(host: string, repository: string): Command;
  /** Pulls what was pushed there, bytes included. */
  pull(host: string, repository: string): Command;
  /** Lists all repositories, one per line. */
  readonly catalog?: (host: string) => Command;
}

const credential = (username: string, password: string): Command => ["--username", username, "--password", password];

export const REGISTRY_CLIENTS: readonly RegistryClient[] = [
  {
    name: "skopeo",
    checks: true,
    login: (host, ...who) => ["login", "--tls-verify=false", ...credential(...who), host],
    push: (host, repository) => [
      "--insecure-policy",
      "copy",
      "--all",
      "--dest-tls-verify=false",
      "oci:image:v1",
      `docker://${host}/${repository}:v1`,
    ],
    pull: (host, repository) => [
      "--insecure-policy",
      "copy",
      "--all",
      "--src-tls-verify=false",
      `docker://${host}/${repository}:v1`,
      "oci:pulled:v1",
    ],
  },
  {
    name: "crane",
    checks: false,
    login: (host, ...who) => ["auth", "login", ...credential(...who), host],
    push: (host, repository) => ["push", "--index", "image", `${host}/${repository}:v1`],
    pull: (host, repository) => ["validate", "--remote", `${host}/${repository}:v1`],
    catalog: (host) => ["catalog", host],
  },
  {
    name: "oras",
    checks: true,
    login: (host, ...who) => ["login", "--plain-http", ...credential(...who), host],
    push: (host, repository) => [
      "copy",
      "--from-oci-layout",
      "--to-plain-http",
      "image:v1",
      `${host}/${repository}:v1`,
    ],
    pull: (host, repository) => [
      "copy",
      "--to-oci-layout",
      "--from-plain-http",
      `${host}/${repository}:v1`,
      "pulled:v1",
    ],
    catalog: (host) => ["repository", "list", "--plain-http", host],
  },
  {
    name: "regctl",
    checks: true,
    prepare: (host) => ["registry", "set", host, "--tls", "disabled", "--skip-check"],
    login: (host, username, password) => ["registry", "login", "--user", username, "--pass", password, host],
    // It waits longer after each refusal, and a copy of an image has many.
    push: (host, repository) => [
      "artifact",
      "put",
      "--artifact-type",
      "application/vnd.example.note",
      "--file",
      "note.txt",
      `${host}/${repository}:note`,
    ],
    pull: (host, repository) => ["artifact", "get", `${host}/${repository}:note`],
    catalog: (host) => ["repo", "list", host],
  },
  {
    name: "helm",
    checks: true,
    login: (host, ...who) => ["registry", "login", "--plain-http", ...credential(...who), host],
    push: (host, repository) => ["push", "app-1.0.0.tgz", `oci://${host}/${parent(repository)}`, "--plain-http"],
    pull: (host, repository) => ["pull", `oci://${host}/${repository}`, "--version=1.0.0", "--plain-http"],
  },
];

/** How clients say that they were not let in, or that they have nothing to say when they are asked who they are. */
export const REFUSED =
  /unauthorized|authentication|denied|forbidden|40[13]|invalid username\/password|credential not found/i;

/**
 * Readies a home for a client, and writes what it pushes there: an image, a note, and a chart called `app`. `seed` makes
 * them different from those of others: some clients push nothing that is there already, and are not refused then.
 */
export async function prepareClient(
  home: ClientHome,
  client: RegistryClient,
  host: string,
  seed: string,
): Promise<void> {
  writeLayout(home.path("image"), { seed, layers: 2, layerBytes: 2048 });
  writeFileSync(home.path("note.txt"), `a note on ${seed}\n`);
  mkdirSync(home.path("app"));
  writeFileSync(home.path("app/Chart.yaml"), `apiVersion: v2\nname: app\nversion: 1.0.0\ndescription: ${seed}\n`);
  if (client.name === "helm") await home.run("helm", ["package", "app"]);
  if (client.prepare !== undefined) await home.run(client.name, client.prepare(host));
}

/** Clients that between them push all that the others pull: an image, a note and a chart. */
const PUSHERS = new Set(["skopeo", "regctl", "helm"]);

/** Pushes to each repository what every client then pulls from it. */
export async function pushForAll(
  host: string,
  username: string,
  password: string,
  repositories: readonly string[],
): Promise<void> {
  for (const client of REGISTRY_CLIENTS.filter(({ name }) => PUSHERS.has(name))) {
    const home = createClientHome();
    try {
      await prepareClient(home, client, host, "what all pull");
      await home.run(client.name, client.login(host, username, password));
      for (const repository of repositories) await home.run(client.name, client.push(host, repository));
    } finally {
      home.remove();
    }
  }
}

/** Charts are pushed to a folder: the last component of the name is in the chart. */
function parent(repository: string): string {
  return repository.slice(0, repository.lastIndexOf("/"));
}
