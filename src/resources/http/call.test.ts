import { expect, it } from "vitest";
import { withWarnings } from "./call.ts";

it("gives as many warnings as clients take, and says how many there are besides", () => {
  const few = withWarnings(new Response(), ["one", 'a "two"']).headers.get("warning");
  expect(few).toBe(String.raw`299 - "one", 299 - "a \"two\""`);
  const many = withWarnings(
    new Response(),
    Array.from({ length: 1000 }, () => "x".repeat(300)),
  ).headers.get("warning");
  expect(many?.length).toBeLessThan(5000);
  expect(many).toMatch(/299 - "and 984 more"$/);
});
