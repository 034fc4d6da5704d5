import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientHome, createClientHome } from "../support/client-home.ts";
import { type ConformanceReport, runConformance } from "../support/conformance.ts";
import { type S3Service, s3Settings, startS3Service } from "../support/s3-service.ts";
import { type Server, startServer } from "../support/server.ts";

/** Interfaces and kinds of data that the program reports on, one of which is off. */
const REPORTED = 52;

describe("the conformance program of the distribution specification", () => {
  let home: ClientHome;
  let server: Server | undefined;
  let s3: S3Service | undefined;
  beforeEach(() => {
    home = createClientHome();
  });
  afterEach(async () => {
    await server?.stop();
    await s3?.stop();
    [server, s3] = [undefined, undefined];
    home.remove();
  });

  test("passes on the filesystem", async () => {
    server = await startServer();
    expectEverything(await runConformance(home, { host: server.host }));
  });

  test("passes on R2", async () => {
    server = await startServer({ env: { STORAGE: "r2" } });
    expectEverything(await runConformance(home, { host: server.host }));
  });

  test("passes on S3, with pulls redirected to it", async () => {
    s3 = await startS3Service();
    server = await startServer({ env: s3Settings(s3) });
    expectEverything(await runConformance(home, { host: server.host }));
  });

  test("passes with a password, over TLS", async () => {
    server = await startServer({ env: { ADMIN_PASSWORD: "open sesame" }, args: ["--tls"] });
    const certificate = path.join(server.data, "tls", "cert.pem");
    const target = { host: server.host, certificate, username: "admin", password: "open sesame" };
    // A token names the repositories that it is good for: a mount that names no source is a plain upload.
    expectEverything(await runConformance(home, target), { "Blob anonymous mount": "Skip" });
  });
});

function expectEverything(
  { exitCode, totals, results, failures }: ConformanceReport,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  expect(failures).toEqual([]);
  expect(totals).toMatchObject({ FAIL: 0, Error: 0 });
  expect(totals["Pass"]).toBeGreaterThan(900);
  expect(Object.keys(results)).toHaveLength(REPORTED);
  const { "Sparse Manifests": sparse, ...others } = results;
  expect(sparse).toBe("Disabled");
  const different = Object.entries(others).filter(([, result]) => result !== "Pass");
  expect(Object.fromEntries(different)).toEqual(exceptions);
  expect(exitCode).toBe(0);
}
