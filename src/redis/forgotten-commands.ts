import type { Redis } from "ioredis";

/** Of ioredis' own: commands without a reply when the connection was lost, to be sent again on the next. */
interface Unanswered {
  readonly prevCommandQueue?: {
    readonly length: number;
    shift(): { readonly command: { reject(error: Error): void } } | undefined;
  } | null;
}

/**
 * What was under way when a connection was lost is sent again on the next one. Where that is lost too before it is ready, as
 * behind a proxy whose server is away, ioredis would wait with it until one is: here it fails, as where nobody listens.
 */
export function failForgottenCommands(client: Redis): void {
  let lost = 0;
  client.on("ready", () => (lost = 0));
  client.on("close", () => {
    lost += 1;
    const { prevCommandQueue: queue } = client as Unanswered;
    if (lost < 2 || queue === undefined || queue === null) return;
    while (queue.length > 0) queue.shift()?.command.reject(new Error("Connection is closed."));
  });
}
