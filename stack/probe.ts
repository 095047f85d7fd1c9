/** Asks a service over HTTP whether it is ready. */

/** @throws when nothing answers within `timeoutMs`, or the answer is not a success */
export async function expectOk(url: string, timeoutMs = 2_000): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response;
}
