import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type FaultName, type FaultRule } from "./fault.ts";
import { type Answer, json, type Reply } from "./reply.ts";
import type { OpenRecord, RequestRecord } from "./request-log.ts";
import type { Arrival, Route } from "./route.ts";
import { findPath, mannersOf } from "./routes.ts";
import { type Spoiling, transmit } from "./transmit.ts";
import type { World } from "./world.ts";

/** Longest body that is read, in bytes. */
const MAX_BODY_BYTES = 1_000_000;

const UNSPOILT: Spoiling = { kind: "none" };
const RESET: Spoiling = { kind: "reset" };

/** What `after` faults do to the wire. */
const SPOILINGS: Partial<Record<FaultName, (rule: FaultRule) => Spoiling>> = {
  slow: ({ ms }) => ({ kind: "slow", ms }),
  "huge-body": ({ bytes }) => ({ kind: "huge-body", bytes }),
  "wrong-types": () => ({ kind: "wrong-types" }),
  "drop-after-commit": () => ({ kind: "drop" }),
  "cut-short": () => ({ kind: "cut-short" }),
  "never-ending": () => ({ kind: "never-ending" }),
};

interface Ending extends Answer {
  readonly spoiling: Spoiling;
}

/** Takes one request from its arrival to its reply, and writes down what happened. */
export async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  world: World,
  closed: AbortSignal,
): Promise<RequestRecord> {
  const record = world.requests.arrive(world.now(), request.method ?? "", world.heartbeat?.cameAfter(request.socket));
  const { path, query } = splitUrl(request.url ?? "");
  const found = findPath(path);
  const route = found?.byMethod.get(record.method);
  record.route = found?.template ?? "unknown";

  let ending: Ending;
  if (route === undefined) {
    const manners = mannersOf(path);
    ending = plain(found === null ? manners.notFound() : manners.wrongMethod());
  } else {
    record.provider = route.provider;
    record.operation = route.operation;
    record.step = route.step;
    // Counted before the body is read: the quota is about arrivals.
    const tooMany = overQuota(route, record, path, world);
    const body = route.method === "GET" ? "" : await readBody(request);
    if (tooMany !== null) ending = plain(tooMany);
    else if (body === null) ending = plain(json(413, { message: "Payload Too Large" }));
    else {
      const arrival = {
        headers: request.headers,
        query: new URLSearchParams(query),
        body,
        pathCustomer: found?.customer ?? null,
      };
      ending = decide(route, arrival, record, world);
    }
  }

  record.committed = ending.committed;
  record.code = codeOf(ending.reply);
  const { min, max } = world.configuration.latencyMs;
  if (max > 0)
    await sleep(world.draw.between(min, Math.max(min, max)), undefined, { signal: closed }).catch(() => undefined);
  response.setHeader("date", new Date(world.now()).toUTCString());
  record.status = await transmit(response, ending.reply, ending.spoiling, closed);
  world.requests.end(record, world.now());
  return record;
}

function decide(route: Route, arrival: Arrival, record: OpenRecord, world: World): Ending {
  const turnedAway = route.admit(arrival, world);
  if (turnedAway !== null) return plain(turnedAway);
  const { next, clientRefId, persons } = route.open(arrival, world);
  record.client_ref_id = clientRefId;
  record.person = persons[0] ?? null;
  if ("refused" in next) return plain(next.refused);

  const rule = world.faults.choose({ operation: route.operation, step: route.step, persons });
  const struck = rule === null ? null : strike(rule, route, next.carryOut, world);
  if (rule !== null && struck !== null) record.fault = rule.fault;
  return struck ?? { ...next.carryOut(), spoiling: UNSPOILT };
}

/** Null where this operation cannot have the fault. */
function strike(rule: FaultRule, route: Route, carryOut: () => Answer, world: World): Ending | null {
  const spoiling = SPOILINGS[rule.fault]?.(rule);
  if (spoiling !== undefined) return { ...carryOut(), spoiling };
  const reset = rule.fault === "reset-before-commit";
  const reply = reset ? null : route.faultReply(rule.fault, world);
  if (reply === null && !reset) return null;
  const committed = rule.committed ? carryOut().committed : null;
  return { reply: reply ?? { kind: "empty", status: 204 }, committed, spoiling: reset ? RESET : UNSPOILT };
}

function overQuota(route: Route, record: OpenRecord, path: string, world: World): Reply | null {
  const counter = world.quotas[route.provider];
  const waitMs = counter.arrive(record.at);
  record.over_quota = waitMs > 0;
  if (waitMs === 0 || !counter.enforced) return null;
  const reply = mannersOf(path).tooMany();
  const retryAfterSeconds = Math.ceil(waitMs / 1_000);
  return world.configuration.retryAfter && reply.kind === "json" ? { ...reply, retryAfterSeconds } : reply;
}

function plain(reply: Reply): Ending {
  return { reply, committed: null, spoiling: UNSPOILT };
}

function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const mark = url.indexOf("?");
  return mark === -1 ? { path: url, query: "" } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

/** Eko's `status`, Deepvue's `sub_code`. */
function codeOf(reply: Reply): string | null {
  if (reply.kind !== "json") return null;
  const code = reply.body["status"] ?? reply.body["sub_code"];
  return typeof code === "string" || typeof code === "number" ? String(code) : null;
}

/** Null where it is too long; what has come where the caller hung up. */
export async function readBody(request: IncomingMessage): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  });
  const done = (): void => resolve(size > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString("utf8"));
  request.once("end", done);
  request.once("close", done);
  return promise;
}
