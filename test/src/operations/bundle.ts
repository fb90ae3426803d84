import { generateKeyPairSync } from "node:crypto";
import type { DeepvueSettings } from "../../../src/providers/deepvue/settings.ts";
import type { EkoSettings } from "../../../src/providers/eko/settings.ts";
import { findOperation, type OperationName } from "../../../src/operations/catalogue.ts";
import { parseInput, type EntryRules } from "../../../src/operations/entry-rules.ts";
import { InputError } from "../../../src/operations/input-error.ts";
import type { Operation } from "../../../src/operations/operation.ts";
import type { OpenInput } from "../../../src/providers/call.ts";
import type { Outcome } from "../../../src/outcomes/outcome.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { createAadhaarEncryption } from "../../../src/providers/eko/encryption.ts";
import type { HttpReply, ProviderRequest } from "../../../src/providers/http.ts";

export const NOW = Date.UTC(2026, 1, 1);
export const RULES: EntryRules = { now: NOW, aadhaarChecksum: true };
export const CLIENT_REF_ID = "ref-of-this-attempt";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
export const AADHAAR_PRIVATE_KEY = privateKey;

export const EKO: EkoSettings = {
  baseUrl: new URL("https://eko.test/ekoapi/v3"),
  developerKey: new Secret("developer"),
  accessKey: new Secret("access"),
  initiatorId: "9962981729",
  userCode: "20810200",
  aadhaarPublicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  aepsAadhaarField: "aadhaar",
};

const DEEPVUE: DeepvueSettings = {
  baseUrl: new URL("https://deepvue.test"),
  clientId: new Secret("id"),
  clientSecret: new Secret("secret"),
};

export function exampleOf(name: OperationName): Record<string, unknown> {
  return { ...findOperation(name).example };
}

/** The operation's example, with fields changed, as it is after the entry rules. */
export function input(name: OperationName, changes: Readonly<Record<string, unknown>> = {}): OpenInput {
  return parseInput(findOperation(name), { ...exampleOf(name), ...changes }, RULES);
}

export function prepare(
  name: OperationName,
  changes: Readonly<Record<string, unknown>> = {},
  settings: Partial<EkoSettings> = {},
): ProviderRequest {
  const operation: Operation = findOperation(name);
  const context = { path: operation.path, clientRefId: CLIENT_REF_ID };
  if (operation.provider === "deepvue") {
    return operation.prepare(input(name, changes), { ...context, settings: DEEPVUE });
  }
  const eko = { ...EKO, ...settings };
  const encryptAadhaar = eko.aadhaarPublicKey === null ? null : createAadhaarEncryption(eko.aadhaarPublicKey);
  return operation.prepare(input(name, changes), { ...context, settings: eko, encryptAadhaar });
}

export function reply(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { kind: "reply", status, headers, text: typeof body === "string" ? body : JSON.stringify(body) };
}

export function read(name: OperationName, answer: HttpReply, changes: Readonly<Record<string, unknown>> = {}): Outcome {
  return findOperation(name).read(answer, input(name, changes));
}

/** What an input is refused with. */
export function refusal(name: OperationName, raw: unknown, rules: Partial<EntryRules> = {}): InputError {
  try {
    parseInput(findOperation(name), raw, { ...RULES, ...rules });
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error(`${name} accepted it`);
}
