const MINUTE = 60_000;

/** Calls `tick` at the start of every minute, until the returned function is called. A tick that fails is reported. */
export function startCronClock(tick: (minute: Date) => Promise<void>, report: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout;
  const schedule = (): void => {
    const next = Math.ceil((Date.now() + 1) / MINUTE) * MINUTE;
    timer = setTimeout(() => {
      tick(new Date(next)).catch(report);
      schedule();
    }, next - Date.now());
  };
  schedule();
  return () => clearTimeout(timer);
}
