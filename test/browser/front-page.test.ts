import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Registry } from "../conformance/registry-client.ts";
import { pushImage } from "../conformance/steps.ts";
import { type Server, startServer } from "../support/server.ts";
import { startBrowser } from "./browser.ts";

describe("the front page", () => {
  const registry = new Registry();
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
    registry.connect(server.url);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  /** Opens the page; what the browser complains of is collected. */
  async function open(): Promise<{ readonly page: Page; readonly complaints: string[] }> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(server.url);
    return { page, complaints };
  }

  it("says how to push to this very address, and that nothing was pushed yet", async () => {
    const { page, complaints } = await open();
    await expect.poll(() => page.locator("#list li").allTextContents()).toEqual(["none yet"]);
    expect(await page.locator("pre").textContent()).toContain(`docker pull ${server.host}/`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("lists the repositories", async () => {
    const repository = registry.repository("shown");
    await pushImage(repository, "v1");
    const { page, complaints } = await open();
    await expect.poll(() => page.locator("#list li").allTextContents()).toEqual([repository.name]);
    await page.getByRole("link", { name: repository.name }).click();
    await expect
      .poll(() => page.locator("#list li").allTextContents())
      .toEqual([`${server.host}/${repository.name}:v1`, "All repositories"]);
    expect(await page.locator("#heading").textContent()).toBe(`Tags of ${repository.name}`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("asks those to sign in who must, and leads back", async () => {
    const closed = await startServer({ env: { ADMIN_PASSWORD: "correct horse battery" } });
    try {
      const page = await browser.newPage();
      await page.goto(closed.url);
      const link = page.getByRole("link", { name: "Sign in to see what is here" });
      expect(await link.getAttribute("href")).toBe("/login?return_to=%2F");
      await page.close();
    } finally {
      await closed.stop();
    }
  });
});
