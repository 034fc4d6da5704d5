import { expect, it, vi } from "vitest";
import { abortScope } from "./abort.ts";

it("listens to its signal once, however much is waited for", async () => {
  const stop = new AbortController();
  const listened = vi.spyOn(stop.signal, "addEventListener");
  const scope = abortScope(stop.signal);
  for (let piece = 0; piece < 100; piece += 1) expect(await scope.until(Promise.resolve(piece))).toBe(piece);
  expect(listened).toHaveBeenCalledTimes(1);
  const waiting = scope.until(new Promise(() => {}));
  stop.abort(new Error("stop"));
  await expect(waiting).rejects.toThrow("stop");
  // What fails afterwards is nobody's rejection.
  await expect(scope.until(Promise.reject(new Error("late")))).rejects.toThrow();
});

it("is over for what was aborted before", async () => {
  const scope = abortScope(AbortSignal.abort(new Error("stop")));
  await expect(scope.until(new Promise(() => {}))).rejects.toThrow("stop");
  scope.end();
});
