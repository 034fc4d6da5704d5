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
    await expect.poll(() => page.locator("#repositories li").allTextContents()).toEqual(["none yet"]);
    expect(await page.locator("pre").textContent()).toContain(`docker pull ${server.host}/`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("lists the repositories", async () => {
    const repository = registry.repository("shown");
    await pushImage(repository, "v1");
    const { page, complaints } = await open();
    await expect.poll(() => page.locator("#repositories li").allTextContents()).toEqual([repository.name]);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
