import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../support/client-fixture.ts";
import { type Layout, layoutDigests, writeLayout } from "../support/oci-layout.ts";
import { pseudoRandom } from "../support/tar.ts";

const MIB = 1024 * 1024;

/** curl's exit code for a certificate that it has no reason to trust. */
const UNTRUSTED = 60;

describe("over TLS, with the certificate in the data folder,", () => {
  const at = useServer({ args: ["--tls"] });
  let certificate: string;
  let layout: Layout;
  beforeAll(() => {
    certificate = path.join(at.server.data, "tls", "cert.pem");
    layout = writeLayout(at.home.path("source"), { seed: "tls", layerBytes: MIB });
  });

  test("curl is served", async () => {
    expect(at.server.url).toMatch(/^https:/);
    const answer = await at.home.run("curl", ["--silent", "--fail", "--cacert", certificate, `${at.server.url}/v2/`]);
    expect(answer.stdout).toBe("{}");
  });

  test("curl without the certificate refuses the server", async () => {
    const refused = await at.home.attempt("curl", ["--silent", `${at.server.url}/v2/`]);
    expect(refused.code).toBe(UNTRUSTED);
  });

  test("curl by plain HTTP is told that this is HTTPS", async () => {
    const options = ["--silent", "--write-out", "%{http_code}", "--data", "x".repeat(100_000)];
    const answer = await at.home.run("curl", [...options, `http://${at.server.host}/v2/`]);
    expect(answer.stdout).toBe("Client sent an HTTP request to an HTTPS server.\n400");
  });

  test("curl gets https locations for its uploads", async () => {
    const options = ["--silent", "--fail", "--cacert", certificate];
    const upload = ["--request", "POST", "--include", `${at.server.url}/v2/team/curl/blobs/uploads/`];
    const { stdout } = await at.home.run("curl", [...options, ...upload]);
    const location = /^location: (\S+)/im.exec(stdout)?.[1] ?? "";
    expect(new URL(location, at.server.url).protocol).toBe("https:");
  });

  test("crane pushes and pulls", async () => {
    const env = { SSL_CERT_FILE: certificate };
    const image = `${at.server.host}/team/crane:v1`;
    await at.home.run("crane", ["push", "--index", layout.folder, image], { env });
    await at.home.run("crane", ["validate", "--remote", image], { env });
  });

  test("skopeo pushes and pulls", async () => {
    const certificates = at.home.path("certificates");
    mkdirSync(certificates);
    copyFileSync(certificate, path.join(certificates, "ca.crt"));
    const image = `docker://${at.server.host}/team/skopeo:v1`;
    const copy = (direction: string, from: string, to: string) =>
      at.home.run("skopeo", ["--insecure-policy", "copy", "--all", `--${direction}-cert-dir`, certificates, from, to]);
    await copy("dest", `oci:${layout.folder}:v1`, image);
    await copy("src", image, `oci:${at.home.path("skopeo")}:v1`);
    expect(layoutDigests(at.home.path("skopeo"))).toEqual(layout.digests);
  });

  test("oras pushes and pulls", async () => {
    const bytes = pseudoRandom("tls file", 5 * MIB);
    writeFileSync(at.home.path("file.bin"), bytes);
    const trust = ["--ca-file", certificate];
    const artifact = `${at.server.host}/team/oras:v1`;
    await at.home.run("oras", ["push", ...trust, artifact, "file.bin"]);
    await at.home.run("oras", ["pull", ...trust, artifact, "--output", "pulled"]);
    expect(readFileSync(at.home.path("pulled/file.bin")).equals(bytes)).toBe(true);
  });

  test("regctl pushes and pulls", async () => {
    const trust = ["--tls", "enabled", "--cacert", readFileSync(certificate, "utf8")];
    await at.home.run("regctl", ["registry", "set", at.server.host, ...trust]);
    const image = `${at.server.host}/team/regctl:v1`;
    await at.home.run("regctl", ["image", "copy", `ocidir://${layout.folder}:v1`, image]);
    await at.home.run("regctl", ["image", "copy", image, `ocidir://${at.home.path("regctl")}:v1`]);
    expect(layoutDigests(at.home.path("regctl"))).toEqual(layout.digests);
  });

  test("helm pushes and pulls", async () => {
    mkdirSync(at.home.path("chart"));
    writeFileSync(at.home.path("chart/Chart.yaml"), "apiVersion: v2\nname: chart\nversion: 1.0.0\n");
    await at.home.run("helm", ["package", "chart"]);
    const charts = `oci://${at.server.host}/charts`;
    await at.home.run("helm", ["push", "chart-1.0.0.tgz", charts, "--ca-file", certificate]);
    const shown = ["show", "chart", `${charts}/chart`, "--version=1.0.0", "--ca-file", certificate];
    expect((await at.home.run("helm", shown)).stdout).toContain("name: chart");
  });
});
