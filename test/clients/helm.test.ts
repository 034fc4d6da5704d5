import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../support/client-fixture.ts";
import { digestOf } from "../support/oci-layout.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

describe("helm", () => {
  const at = useServer();
  let charts: string;
  let output: string;
  beforeAll(async () => {
    charts = `oci://${at.server.host}/team/charts`;
    writeChart(at.home.path("web"), "web", "1.2.3");
    await helm("package", "web");
    const pushed = await at.home.run("helm", ["push", "web-1.2.3.tgz", charts, "--plain-http"]);
    output = pushed.stdout + pushed.stderr;
  });

  const helm = async (...args: readonly string[]): Promise<string> => (await at.home.run("helm", args)).stdout;

  test("pushes a package, as the manifest that the registry names", async () => {
    const digest = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(output)?.[1];
    const response = await fetch(`${at.server.url}/v2/team/charts/web/manifests/1.2.3`, {
      headers: { accept: MANIFEST },
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(response.headers.get("docker-content-digest")).toBe(digest);
    expect(digestOf(bytes)).toBe(digest);
    expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
      config: { mediaType: "application/vnd.cncf.helm.config.v1+json" },
      layers: [{ mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip" }],
    });
  });

  test("pulls the package that it pushed", async () => {
    mkdirSync(at.home.path("pulled"));
    await helm("pull", `${charts}/web`, "--version=1.2.3", "--plain-http", "--destination=pulled");
    const [pushed, pulled] = ["web-1.2.3.tgz", "pulled/web-1.2.3.tgz"].map((name) => readFileSync(at.home.path(name)));
    expect(pulled).toEqual(pushed);
  });

  test("shows the chart, its values and its text", async () => {
    const show = (what: string) => helm("show", what, `${charts}/web`, "--version=1.2.3", "--plain-http");
    expect(await show("chart")).toContain("name: web");
    expect(await show("values")).toContain("greeting: hello");
    expect(await show("readme")).toContain("# web");
    expect(await show("all")).toContain("version: 1.2.3");
  });

  test("renders a chart from the registry", async () => {
    const rendered = await helm("template", "release", `${charts}/web`, "--plain-http", "--set=greeting=bonjour");
    expect(rendered).toContain("greeting: bonjour");
  });

  test("finds the newest version that fits", async () => {
    for (const version of ["1.10.0", "1.9.0", "2.0.0+build.5"]) {
      writeChart(at.home.path("many"), "many", version);
      await helm("package", "many");
      await helm("push", `many-${version}.tgz`, charts, "--plain-http");
    }
    const shown = (range: string) => helm("show", "chart", `${charts}/many`, `--version=${range}`, "--plain-http");
    expect(await shown("^1.0.0")).toContain("version: 1.10.0");
    expect(await shown("~1.9")).toContain("version: 1.9.0");
    // A tag has no plus sign: helm writes another for it, and reads it back.
    expect(await shown("2.0.0+build.5")).toContain("version: 2.0.0+build.5");
  });

  test("fetches a dependency from the registry", async () => {
    writeChart(
      at.home.path("parent"),
      "parent",
      "0.1.0",
      `dependencies:\n  - {name: web, version: 1.2.3, repository: "${charts}"}\n`,
    );
    await helm("dependency", "update", "parent", "--plain-http");
    expect(readFileSync(at.home.path("parent/charts/web-1.2.3.tgz"))).toEqual(
      readFileSync(at.home.path("web-1.2.3.tgz")),
    );
  });

  test("says that a chart is not there", async () => {
    const missing = ["pull", `${charts}/none`, "--version=1.0.0", "--plain-http"];
    const failed = await at.home.attempt("helm", missing);
    expect(failed.code).not.toBe(0);
    expect(failed.stderr).toContain("not found");
  });
});

/** A chart with one template. */
function writeChart(folder: string, name: string, version: string, more = ""): void {
  mkdirSync(`${folder}/templates`, { recursive: true });
  writeFileSync(`${folder}/Chart.yaml`, `apiVersion: v2\nname: ${name}\nversion: ${version}\n${more}`);
  writeFileSync(`${folder}/values.yaml`, "greeting: hello\n");
  writeFileSync(`${folder}/README.md`, `# ${name}\n`);
  writeFileSync(
    `${folder}/templates/config.yaml`,
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  greeting: {{ .Values.greeting }}\n",
  );
}
