import { constants, createHmac, createPublicKey, publicEncrypt } from "node:crypto";
import { SIMULATOR_CREDENTIALS } from "../../simulator/credentials.ts";
import { seededRandom } from "../../simulator/draw.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/simulator.ts";

/** Friday, 22 May 2026, 10:34:04 UTC. */
export const NOW = Date.UTC(2026, 4, 22, 10, 34, 4);
export const AGENT = { initiator_id: "9000000001", user_code: "20000001" };

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed, where it is JSON, else the text. */
  readonly body: unknown;
}

export interface Bundle extends AsyncDisposable {
  readonly simulator: Simulator;
  /** The providers' clock. */
  readonly clock: { ms: number };
  /** A signed call; `fields` go into the body, for GET into the query string. */
  eko(method: string, path: string, fields: object, headers?: Record<string, string>): Promise<Answered>;
  deepvue(path: string, query: Record<string, string>, headers?: Record<string, string>): Promise<Answered>;
  control(method: string, path: string, body?: object): Promise<Answered>;
  /** RSA PKCS#1 v1.5 with the simulator's public key, base64. */
  encrypt(aadhaar: string): string;
}

/** A fresh simulator with its own clock. */
export async function setup(options: SimulatorOptions = {}): Promise<Bundle> {
  const clock = { ms: NOW };
  const simulator = await startSimulator({ now: () => clock.ms, random: seededRandom(1), ...options });
  const { accessKey, developerKey } = SIMULATOR_CREDENTIALS.eko;
  const { clientId, clientSecret } = SIMULATOR_CREDENTIALS.deepvue;
  const publicKey = createPublicKey({
    key: Buffer.from(simulator.env.EKO_AADHAAR_PUBLIC_KEY, "base64"),
    format: "der",
    type: "spki",
  });
  return {
    simulator,
    clock,
    async eko(method, path, fields, headers = {}) {
      const timestamp = String(clock.ms);
      const key = Buffer.from(accessKey).toString("base64");
      const signed = {
        developer_key: developerKey,
        "secret-key": createHmac("sha256", key).update(timestamp).digest("base64"),
        "secret-key-timestamp": timestamp,
        "content-type": "application/json",
        ...headers,
      };
      const url = new URL(`${simulator.env.EKO_BASE_URL}${path}`);
      if (method !== "GET") return call(url, { method, headers: signed, body: JSON.stringify(fields) });
      for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, String(value));
      return call(url, { method, headers: signed });
    },
    async deepvue(path, query, headers = { "x-api-key": clientSecret, "client-id": clientId }) {
      return call(`${simulator.env.DEEPVUE_BASE_URL}${path}?${new URLSearchParams(query).toString()}`, {
        method: "POST",
        headers,
      });
    },
    async control(method, path, body) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      return call(`${simulator.url}/_simulator/${path}`, { method, ...sent });
    },
    encrypt: (aadhaar) =>
      publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(aadhaar)).toString("base64"),
    [Symbol.asyncDispose]: () => simulator.close(),
  };
}

async function call(url: URL | string, init: RequestInit): Promise<Answered> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** A string at a path of an answer's body, for example `data.otp_ref_id`. */
export function textAt(answered: Answered, path: string): string {
  let value: unknown = answered.body;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) break;
    value = Object.entries(value).find(([key]) => key === name)?.[1];
  }
  if (typeof value !== "string") throw new Error(`no text at ${path} of ${JSON.stringify(answered.body)}`);
  return value;
}

/** Another OTP of the same length. */
export function wrongFor(otp: string): string {
  return otp.replace(/.$/, (last) => String((Number(last) + 1) % 10));
}
