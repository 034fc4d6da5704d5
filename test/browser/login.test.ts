import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PASSWORDS } from "../support/access-world.ts";
import { type Server, startServer } from "../support/server.ts";
import { startBrowser } from "./browser.ts";

describe("the sign-in page", () => {
  let browser: Browser;
  let server: Server;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complains of, violations of the Content Security Policy among it. */
  let complaints: string[];

  beforeAll(async () => {
    server = await startServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin, LOGIN_ATTEMPTS: "4" } });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // A refused sign-in is one that the browser tells of as well.
      if (message.type() === "error" && !/status of (?:401|429)/.test(message.text())) complaints.push(message.text());
    });
  });
  afterEach(() => context.close());

  const open = (path = "/login") => page.goto(`${server.url}${path}`);
  const signIn = async (username: string, password: string): Promise<void> => {
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  const message = () => page.getByRole("alert").textContent();
  const signedInAs = () => page.locator("#user:visible").allTextContents();

  it("says that a password is wrong, and keeps nobody's", async () => {
    await open();
    await signIn("admin", "wrong password");
    await expect.poll(message).toBe("The user name or the password is wrong.");
    expect(await page.getByLabel("Password").inputValue()).toBe("");
    expect(await page.getByLabel("User name").inputValue()).toBe("admin");
    expect(await context.cookies()).toEqual([]);
    expect(page.url()).toBe(`${server.url}/login`);
    expect(complaints).toEqual([]);
  });

  it("signs in, says who is signed in after a reload as well, and signs out", async () => {
    await open();
    await signIn("admin", PASSWORDS.admin);
    await expect.poll(signedInAs).toEqual(["admin"]);
    const [cookie, ...others] = await context.cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ name: "entrepot_session", httpOnly: true, sameSite: "Lax", path: "/" });
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.evaluate("JSON.stringify([localStorage, sessionStorage])")).toBe("[{},{}]");

    await page.reload();
    await expect.poll(signedInAs).toEqual(["admin"]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect.poll(signedInAs).toEqual([]);
    await expect.poll(() => page.getByLabel("User name").isVisible()).toBe(true);
    expect(await context.cookies()).toEqual([]);
    const session = await fetch(`${server.url}/auth/session`, {
      headers: { cookie: `entrepot_session=${cookie?.value ?? ""}` },
    });
    expect(await session.json()).toMatchObject({ user: null });
    expect(complaints).toEqual([]);
  });

  it("goes back to where someone came from, and to no other server", async () => {
    await open("/login?return_to=%2F%3Ffrom%3Dlogin");
    await signIn("admin", PASSWORDS.admin);
    await page.waitForURL(`${server.url}/?from=login`);
    for (const elsewhere of ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"]) {
      await context.clearCookies();
      await open(`/login?return_to=${encodeURIComponent(elsewhere)}`);
      await signIn("admin", PASSWORDS.admin);
      await expect.poll(signedInAs).toEqual(["admin"]);
      expect(new URL(page.url()).origin).toBe(server.url);
    }
    expect(complaints).toEqual([]);
  });

  it("is under a policy that lets nothing in from elsewhere", async () => {
    const response = await open();
    const headers = response?.headers() ?? {};
    expect(headers["content-security-policy"]).toContain("default-src 'self'");
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({ "x-frame-options": "DENY", "x-content-type-options": "nosniff" });
    // The page's own policy is in force: the browser refuses both.
    await page.evaluate(
      "document.body.append(Object.assign(document.createElement('script'), { text: 'window.hit = 1' }))",
    );
    expect(await page.evaluate("window.hit")).toBeUndefined();
    await page.evaluate("fetch('https://evil.example/').catch(() => {})");
    expect(complaints.join("\n")).toMatch(/Content Security Policy/);
  });

  it("does nothing for a form of another site that a browser sends along with its cookie", async () => {
    await open();
    await signIn("admin", PASSWORDS.admin);
    await expect.poll(signedInAs).toEqual(["admin"]);
    // `localhost` is another site than `127.0.0.1`, and this server is on the one and on the other.
    const elsewhere = server.url.replace("127.0.0.1", "localhost");
    await page.route(`${elsewhere}/**`, (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<form method="post" action="${server.url}/auth/logout"><button>Win a prize</button></form>`,
      }),
    );
    await page.goto(`${elsewhere}/prize`);
    const answer = page.waitForResponse(`${server.url}/auth/logout`);
    await page.getByRole("button").click();
    expect((await answer).status()).toBe(403);
    await open();
    await expect.poll(signedInAs).toEqual(["admin"]);
  });

  it("says how long to wait after too many wrong passwords", async () => {
    await open();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await signIn("someone", `wrong ${attempt}`);
      await expect.poll(message).not.toBe("");
      await expect.poll(() => page.getByLabel("Password").inputValue()).toBe("");
    }
    await expect.poll(message).toMatch(/^Too many failed attempts\. Try again in \d+ seconds\.$/);
    expect(complaints).toEqual([]);
  });
});
