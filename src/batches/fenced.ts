/** Another feeder works by now: what this one wanted to write was not written. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

/** What a step of the feeder's answered. Throws FencedError. */
export function unfenced(reply: string): string {
  if (reply === "fenced") throw new FencedError("another feeder works by now");
  return reply;
}
