/** What is wrong with the name of a time zone, if anything. */
export function timeZoneProblem(zone: string): string | undefined {
  const problem = "must be the name of a time zone, such as Europe/Berlin or UTC";
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return problem;
  try {
    Intl.DateTimeFormat("en-US", { timeZone: zone });
    return undefined;
  } catch {
    return problem;
  }
}
