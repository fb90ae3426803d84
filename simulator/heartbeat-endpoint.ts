import type { IncomingHttpHeaders } from "node:http";
import { envelope, forbidden } from "./eko/envelope.ts";
import { isSigned } from "./eko/signature.ts";
import type { Reply } from "./reply.ts";

/** No provider has it: what answers a worker's heartbeat. */
export const HEARTBEAT_PATH = "/heartbeat";
/** Known to all: a heartbeat proves the way, and nobody's right. */
const KEYS = { developerKey: "heartbeat", accessKey: "heartbeat" };

/** The reply to a heartbeat: yes, where it is signed as Eko's calls are. Nothing is counted or remembered. */
export function answerHeartbeat(headers: IncomingHttpHeaders, now: number, toleranceMs: number): Reply {
  const text = (name: string): string | null => {
    const value = headers[name];
    return typeof value === "string" ? value : null;
  };
  const given = {
    developerKey: text("developer_key"),
    secretKey: text("secret-key"),
    timestamp: text("secret-key-timestamp"),
  };
  return isSigned(given, KEYS, now, toleranceMs) ? envelope(0, 0, 0, "Heartbeat") : forbidden("json");
}
