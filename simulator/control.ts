import type { IncomingMessage, ServerResponse } from "node:http";
import { SatyapanError } from "../src/base/error.ts";
import { exportLines, type SimulatorEnvironment } from "./credentials.ts";
import { readBody } from "./exchange.ts";
import type { World } from "./world.ts";

/** Where other processes see and steer the simulator. */
export const CONTROL_PATH = "/_simulator/";

/** Longest wait of `outbox`, ms. */
const MAX_WAIT_MS = 60_000;

type Controlled = { readonly status: number; readonly body: unknown } | { readonly status: 200; readonly text: string };

/** Answers one request below `CONTROL_PATH`. */
export async function control(
  request: IncomingMessage,
  response: ServerResponse,
  world: World,
  environment: SimulatorEnvironment,
): Promise<void> {
  const url = new URL(request.url ?? "", "http://simulator.invalid");
  const answer = await answerTo(`${request.method} ${url.pathname}`, url.searchParams, request, world, environment);
  const text = "text" in answer ? answer.text : `${JSON.stringify(answer.body)}\n`;
  const type = "text" in answer ? "text/plain" : "application/json";
  response.writeHead(answer.status, { "content-type": `${type}; charset=utf-8` }).end(text);
}

async function answerTo(
  call: string,
  query: URLSearchParams,
  request: IncomingMessage,
  world: World,
  environment: SimulatorEnvironment,
): Promise<Controlled> {
  switch (call) {
    case `GET ${CONTROL_PATH}healthz`:
      return { status: 200, body: { status: "ok" } };
    case `GET ${CONTROL_PATH}environment`:
      return { status: 200, text: exportLines(environment) };
    case `GET ${CONTROL_PATH}stats`:
      return { status: 200, body: world.stats() };
    // ?operation= & after=SEQ & limit=10000: oldest first.
    case `GET ${CONTROL_PATH}requests`: {
      const operation = query.get("operation");
      const after = numberOf(query, "after", 0);
      const found = world.requests.records.filter(
        (record) => record.seq > after && (operation === null || record.operation === operation),
      );
      return { status: 200, body: found.slice(0, numberOf(query, "limit", 10_000)) };
    }
    // ?to= & after=SEQ & limit=100 & wait=MS: newest first; with `wait` it answers when there is one, or [] at the end.
    case `GET ${CONTROL_PATH}outbox`: {
      const to = query.get("to");
      const after = numberOf(query, "after", 0);
      await world.outbox.wait(to, after, Math.min(numberOf(query, "wait", 0), MAX_WAIT_MS));
      return { status: 200, body: world.outbox.find(to, after, numberOf(query, "limit", 100)) };
    }
    case `POST ${CONTROL_PATH}configure`:
      return configure(await readBody(request), world);
    case `POST ${CONTROL_PATH}reset`:
      world.reset();
      return { status: 200, body: { status: "ok" } };
    default:
      return {
        status: 404,
        body: { error: `The simulator has no ${call}; see simulator/control.ts for what it has.` },
      };
  }
}

/** The whole configuration is given back; a wrong patch changes nothing. */
function configure(body: string | null, world: World): Controlled {
  try {
    world.configure(JSON.parse(body ?? ""));
    return { status: 200, body: world.configuration };
  } catch (error) {
    if (error instanceof SyntaxError) return { status: 400, body: { error: "The body is not JSON." } };
    if (error instanceof SatyapanError) return { status: 400, body: { error: error.message } };
    throw error;
  }
}

/** Not a whole number from 0: the default. */
function numberOf(query: URLSearchParams, name: string, byDefault: number): number {
  const text = query.get(name) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : byDefault;
}
