import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Authority } from "../../support/certificates.ts";
import { SETTINGS, settingsSchema, type SettingName, type SettingValues } from "../../../src/config/definitions.ts";

const BYTES = Buffer.alloc(32, 0xfb);
const KEY = BYTES.toString("base64");
const RSA = generateKeyPairSync("rsa", { modulusLength: 1024 });
const SPKI = RSA.publicKey.export({ type: "spki", format: "der" }).toString("base64");
const PEM = RSA.publicKey.export({ type: "spki", format: "pem" }).toString();
const PKCS1 = RSA.publicKey.export({ type: "pkcs1", format: "pem" }).toString();
const PRIVATE = RSA.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const PRIVATE_DER = RSA.privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
const SMALL = generateKeyPairSync("rsa", { modulusLength: 512 }).publicKey.export({ type: "spki", format: "pem" });
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" });
const { cert: CERTIFICATE, key: PRIVATE_KEY } = new Authority("test");
const MINUTE = 60_000;
const DAY = 86_400_000;

interface Row<Name extends SettingName> {
  /** Without a setting. */
  readonly unset: unknown;
  /** Text and value, both as `show` writes them. */
  readonly accepted: readonly (readonly [text: string, value: unknown])[];
  /** Text and a part of what is said about it. */
  readonly refused: readonly (readonly [text: string, says: string | RegExp])[];
  /** A method, not a function field: a row of one setting is then a row of any. */
  show?(value: NonNullable<SettingValues[Name]>): unknown;
}

const credential = {
  unset: undefined,
  accepted: [
    ["TEST_ACCESS_KEY_DO_NOT_USE", "TEST_ACCESS_KEY_DO_NOT_USE"],
    ["a+b/c==:;!~", "a+b/c==:;!~"],
    ["x".repeat(512), "x".repeat(512)],
  ],
  refused: [
    ["two words", "must be 1 to 512 printable ASCII characters without spaces"],
    ["new\nline", "printable"],
    ["schlüssel", "printable"],
    ["x".repeat(513), "1 to 512"],
  ],
} as const;
const open = (secret: { open(): string }): string => secret.open();
const href = (url: URL): string => url.href;

const id = {
  unset: undefined,
  accepted: [
    ["9962981729", "9962981729"],
    ["20810200", "20810200"],
    ["AB_1-2", "AB_1-2"],
  ],
  refused: [
    ["99 62", /^must be 1 to 64 letters, digits, "_" or "-"$/],
    ["a/b", "letters"],
    ["x".repeat(65), "1 to 64"],
  ],
} as const;

const baseUrl = {
  accepted: [
    ["https://staging.eko.in/ekoapi/v3", "https://staging.eko.in/ekoapi/v3"],
    ["https://staging.eko.in:25004/ekoapi/v3/", "https://staging.eko.in:25004/ekoapi/v3"],
    ["https://api.example.com", "https://api.example.com/"],
    ["http://simulator:4010", "http://simulator:4010/"],
    ["http://localhost:4010/eko//", "http://localhost:4010/eko"],
    ["http://127.0.0.1:4010", "http://127.0.0.1:4010/"],
    ["http://127.8.9.1", "http://127.8.9.1/"],
    ["http://[::1]:4010", "http://[::1]:4010/"],
    ["http://eko.localhost:4010", "http://eko.localhost:4010/"],
  ],
  refused: [
    ["http://api.eko.in/ekoicici/v3", "must begin with https://"],
    ["http://10.0.0.7", "must begin with https://"],
    ["http://0.0.0.0:4010", "must begin with https://"],
    ["http://[::2]", "must begin with https://"],
    ["http://127.0.0.1.example.com", "must begin with https://"],
    ["http://localhost.example.com", "must begin with https://"],
    ["https://user:hunter2@api.eko.in", "must not have a user or password in it"],
    ["https://hunter2@api.eko.in", "must not have a user or password in it"],
    ["https://api.eko.in/?key=hunter2", "no query"],
    ["https://api.eko.in/?", "no query"],
    ["https://api.eko.in/#hunter2", "no fragment"],
    ["ftp://api.eko.in", "must be a URL like https://api.example.com/base"],
    ["api.eko.in/v3", "must be a URL"],
    ["file:///etc/passwd", "must be a URL"],
    ["https://", "must be a URL"],
  ],
  show: href,
} as const;

const quota = {
  accepted: [
    ["10/1s", [{ max: 10, ms: 1_000 }]],
    ["0/1s", [{ max: 0, ms: 1_000 }]],
  ],
  refused: [
    ["10", "must be windows of calls/duration"],
    ["30/1s,10/1m", "contradicts itself"],
  ],
} as const;

/** Every setting must be here: a new one does not compile without. */
const TABLE: { readonly [Name in SettingName]: Row<Name> } = {
  REDIS_URL: {
    unset: undefined,
    accepted: [
      ["redis://redis:6379/0", "redis://redis:6379/0"],
      ["rediss://user:hunter2@redis.example.com", "rediss://user:hunter2@redis.example.com"],
      ["redis+sentinel://one:26379,two:26379/main", "redis+sentinel://one:26379,two:26379/main"],
      ["redis+cluster://one,two", "redis+cluster://one,two"],
      ["unix:///run/redis.sock", "unix:///run/redis.sock"],
    ],
    refused: [
      ["localhost:6379", /^must look like one of redis:\/\/[^\n]*$/],
      ["http://localhost:6379", "must look like one of"],
      ["redis://", "has no valid host and port"],
      ["redis://:hunter2/@redis", "has no valid host and port"],
    ],
    show: open,
  },
  EKO_BASE_URL: { unset: "https://api.eko.in/ekoicici/v3", ...baseUrl },
  EKO_DEVELOPER_KEY: { ...credential, show: open },
  EKO_ACCESS_KEY: { ...credential, show: open },
  OTP_LIMIT: {
    unset: { max: 5, ms: 1_800_000 },
    accepted: [["3/10m", { max: 3, ms: 600_000 }]],
    refused: [
      ["0/10m", "must allow at least one call"],
      ["5", "must be windows of calls/duration"],
    ],
  },
  HOLD_PROBE: {
    unset: 300_000,
    accepted: [["30s", 30_000]],
    refused: [["30", "must have a unit"]],
  },
  BULK_FLOOR: {
    unset: 0.1,
    accepted: [
      ["0%", 0],
      ["25%", 0.25],
    ],
    refused: [
      ["10", "must be a percentage from 0% to 50%"],
      ["51%", "must be a percentage from 0% to 50%"],
    ],
  },
  EKO_INITIATOR_ID: id,
  EKO_USER_CODE: id,
  EKO_AADHAAR_PUBLIC_KEY: {
    unset: undefined,
    accepted: [
      [SPKI, SPKI],
      [SPKI.replaceAll(/(.{64})/g, "$1\n"), SPKI],
      [PEM, SPKI],
      [PEM.replaceAll("\n", String.raw`\n`), SPKI],
      [PKCS1, SPKI],
    ],
    refused: [
      [PRIVATE, "must be a public key, and is a private one: take it out of here"],
      [PRIVATE_DER, "must be a public key: base64 SPKI"],
      [String(EC), "must be an RSA key, not ec"],
      [String(SMALL), "must be an RSA key of at least 1024 bits"],
      ["bm90IGEga2V5", "must be a public key: base64 SPKI"],
      ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "must be a public key: base64 SPKI"],
    ],
  },
  EKO_AEPS_AADHAAR_FIELD: {
    unset: "aadhaar",
    accepted: [
      ["aadhaar", "aadhaar"],
      ["aadhar", "aadhar"],
    ],
    refused: [["adhaar", 'must be one of aadhaar, aadhar, not "adhaar"']],
  },
  EKO_QUOTA: { unset: [{ max: 10, ms: 1_000 }], ...quota },
  DEEPVUE_BASE_URL: { unset: "https://production.deepvue.tech/", ...baseUrl },
  DEEPVUE_CLIENT_ID: { ...credential, show: open },
  DEEPVUE_CLIENT_SECRET: { ...credential, show: open },
  DEEPVUE_QUOTA: {
    unset: [
      { max: 1, ms: 1_000 },
      { max: 30, ms: MINUTE },
      { max: 1_000, ms: DAY },
    ],
    ...quota,
  },
  DEEPVUE_PENDING_DELAYS: {
    unset: [MINUTE, 2 * MINUTE, 5 * MINUTE],
    accepted: [
      ["45s", [45_000]],
      ["60s, 2m", [MINUTE, 2 * MINUTE]],
      [Array.from({ length: 10 }, () => "1s").join(","), Array.from({ length: 10 }, () => 1_000)],
    ],
    refused: [
      [",", "must be a list of durations"],
      ["60s,,120s", "must be a list of durations"],
      ["60,120", "each must have a unit"],
      ["0s", "each must be 1ms to 1d, not 0s"],
      [Array.from({ length: 11 }, () => "1s").join(","), "must have at most 10 durations, not 11"],
    ],
  },
  OTP_COOLDOWN: {
    unset: MINUTE,
    accepted: [
      ["0s", 0],
      ["45s", 45_000],
      ["1d", DAY],
    ],
    refused: [
      ["60", "must have a unit"],
      ["2d", "must be 0s to 1d, not 2d"],
    ],
  },
  AADHAAR_CHECKSUM: {
    unset: true,
    accepted: [
      ["on", true],
      ["off", false],
    ],
    refused: [
      ["true", 'must be on or off, not "true"'],
      ["OFF", "must be on or off"],
      ["0", "must be on or off"],
    ],
  },
  RECORD_ARCHIVE: {
    unset: false,
    accepted: [
      ["on", true],
      ["off", false],
    ],
    refused: [["true", 'must be on or off, not "true"']],
  },
  CALL_TIMEOUT: {
    unset: 30_000,
    accepted: [["10s", 10_000]],
    refused: [
      ["0s", "must be 1ms to 10m, not 0s"],
      ["11m", "must be 1ms to 10m, not 11m"],
      ["30000", "must have a unit"],
    ],
  },
  CALL_ATTEMPTS: {
    unset: 5,
    accepted: [
      ["1", 1],
      ["100", 100],
    ],
    refused: [
      ["0", 'must be a whole number from 1 to 100, not "0"'],
      ["101", "from 1 to 100"],
      ["-1", "from 1 to 100"],
      ["1.5", "from 1 to 100"],
      ["five", "from 1 to 100"],
      ["1e1", "from 1 to 100"],
      ["0x5", "from 1 to 100"],
    ],
  },
  BACKOFF_BASE: {
    unset: 1_000,
    accepted: [["250ms", 250]],
    refused: [
      ["0s", "must be 1ms to 1h"],
      ["2h", "must be 1ms to 1h"],
    ],
  },
  BACKOFF_CAP: {
    unset: MINUTE,
    accepted: [["5m", 5 * MINUTE]],
    refused: [
      ["0s", "must be 1ms to 1d"],
      ["25h", "must be 1ms to 1d"],
    ],
  },
  WORKER_CONCURRENCY: {
    unset: 50,
    accepted: [
      ["1", 1],
      ["1000", 1_000],
    ],
    refused: [
      ["0", "must be a whole number from 1 to 1000"],
      ["1001", "from 1 to 1000"],
    ],
  },
  SHUTDOWN_GRACE: {
    unset: 35_000,
    accepted: [["45s", 45_000]],
    refused: [
      ["0s", "must be 1ms to 1h"],
      ["61m", "must be 1ms to 1h"],
    ],
  },
  METRICS_HOST: {
    unset: "127.0.0.1",
    accepted: [
      ["0.0.0.0", "0.0.0.0"],
      ["::", "::"],
      ["worker-1", "worker-1"],
    ],
    refused: [
      ["127.0.0.1:9464", /^must be an address or a name of this machine, like 127\.0\.0\.1, without a port, not /],
      ["[::1]", "address"],
      ["256.0.0.1", "address"],
      ["http://localhost", "address"],
    ],
  },
  METRICS_PORT: {
    unset: 9_464,
    accepted: [
      ["0", 0],
      ["65535", 65_535],
    ],
    refused: [
      ["65536", "must be a whole number from 0 to 65535"],
      ["http", "from 0 to 65535"],
    ],
  },
  HEARTBEAT_BASE_URL: { unset: undefined, ...baseUrl, show: href },
  LOG_LEVEL: {
    unset: "info",
    accepted: ["trace", "debug", "info", "warn", "error", "fatal", "silent"].map((level) => [level, level] as const),
    refused: [
      ["verbose", 'must be one of trace, debug, info, warn, error, fatal, silent, not "verbose"'],
      ["INFO", "must be one of"],
    ],
  },
  LOG_FORMAT: {
    unset: "json",
    accepted: ["json", "pretty"].map((format) => [format, format] as const),
    refused: [["text", 'must be one of json, pretty, not "text"']],
  },
  // A wrong one stops nothing.
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    unset: undefined,
    accepted: ["http://localhost:4318", "nowhere"].map((text) => [text, text] as const),
    refused: [],
  },
  OTEL_EXPORTER_OTLP_HEADERS: { ...credential, show: open },
  OTEL_SERVICE_NAME: {
    unset: "satyapan",
    accepted: [["kyc worker", "kyc worker"]],
    refused: [["two\nlines", "must be 1 to 255 characters of one line"]],
  },
  OTEL_TRACES_SAMPLER_ARG: {
    unset: 1,
    accepted: [
      ["0", 0],
      ["0.25", 0.25],
    ],
    refused: [
      ["1.5", 'must be a number from 0 to 1, like 0.1, not "1.5"'],
      ["10%", "from 0 to 1"],
    ],
  },
  RECORD_RETENTION: {
    unset: 30 * DAY,
    accepted: [
      ["1m", MINUTE],
      ["3650d", 3_650 * DAY],
    ],
    refused: [
      ["59s", "must be 1m to 3650d, not 59s"],
      ["30", "must have a unit"],
    ],
  },
  RESULT_RETENTION: {
    unset: DAY,
    accepted: [
      ["1m", MINUTE],
      ["365d", 365 * DAY],
    ],
    refused: [["59s", "must be 1m to 365d, not 59s"]],
  },
  CALL_PRICES: {
    unset: undefined,
    accepted: [
      ["eko.mobile-otp=0.25", [["eko.mobile-otp", 0.25]]],
      [
        "deepvue.aadhaar-otp=3, eko.mobile-otp=1",
        [
          ["deepvue.aadhaar-otp", 3],
          ["eko.mobile-otp", 1],
        ],
      ],
    ],
    refused: [
      ["eko.mobile-otp", "must be operation=rupees, like eko.mobile-otp=0.25"],
      ["eko.mobile-otp=free", "must be operation=rupees"],
      ["eko.mobile-opt=1", 'names no operation: "eko.mobile-opt"; did you mean eko.mobile-otp?'],
      ["eko.mobile-otp=1,eko.mobile-otp=2", "has two prices for eko.mobile-otp"],
    ],
    show: (prices) => Array.from(prices),
  },
  CONSENT_REQUIRED: {
    unset: "deepvue",
    accepted: [["all", "all"]],
    refused: [["eko", 'must be one of deepvue, all, not "eko"']],
  },
  ALLOW_DEBUGGER: { unset: false, accepted: [["on", true]], refused: [["yes", "must be on or off"]] },
  AUDIT_DIR: {
    unset: undefined,
    accepted: [["/var/lib/satyapan/audit", "/var/lib/satyapan/audit"]],
    refused: [["a\nb", "must be the path of a folder"]],
  },
  AUDIT_KEEP: {
    unset: 30 * DAY,
    accepted: [["1h", 3_600_000]],
    refused: [["59m", "must be 1h to 3650d, not 59m"]],
  },
  REDIS_TLS_CA: { unset: undefined, accepted: [[CERTIFICATE, CERTIFICATE]], refused: [["nonsense", /PEM/]] },
  REDIS_TLS_CERT: { unset: undefined, accepted: [[CERTIFICATE, CERTIFICATE]], refused: [["nonsense", /PEM/]] },
  REDIS_TLS_KEY: {
    unset: undefined,
    accepted: [[PRIVATE_KEY, PRIVATE_KEY]],
    refused: [[CERTIFICATE, /private key/]],
    show: open,
  },
  SATYAPAN_ENCRYPTION_KEYS: {
    unset: undefined,
    accepted: [[`k1:${KEY}`, KEY]],
    refused: [
      [KEY, "must be id:base64key"],
      ["k1:c2hvcnQ=", "must have keys of 32 bytes in base64"],
    ],
    show: (ring) => ring.sealing.key.export().toString("base64"),
  },
  KEY_PROVIDER: {
    unset: undefined,
    accepted: [
      ["command:/usr/local/bin/keys", { kind: "command", program: "/usr/local/bin/keys", args: [] }],
      [
        "command:/opt/kms unwrap  --region x",
        { kind: "command", program: "/opt/kms", args: ["unwrap", "--region", "x"] },
      ],
      ["https://keys.example.com/v1/", "https://keys.example.com/v1"],
      ["http://localhost:8200/keys", "http://localhost:8200/keys"],
      ["http://vault:8200", "http://vault:8200/"],
    ],
    refused: [
      ["command:keys", "must give the program's whole path: command:/path/to/program"],
      ["command:", "must give the program's whole path"],
      ["/usr/local/bin/keys", "must be command:/path/to/program, or a URL like https://keys.example.com"],
      ["ftp://keys.example.com", "must be command:/path/to/program, or a URL"],
      ["http://keys.example.com", "must begin with https://"],
      ["https://user:hunter2@keys.example.com", "must not have a user or password in it"],
      ["https://keys.example.com?token=hunter2", "must end with the path"],
    ],
    show: (address) => (address.kind === "http" ? address.url.href : address),
  },
  KEY_PROVIDER_TOKEN: { ...credential, show: open },
  KEY_LIFE: {
    unset: 365 * DAY,
    accepted: [
      ["60d", 60 * DAY],
      ["3650d", 3_650 * DAY],
    ],
    refused: [
      ["59d", "must be 60d to 3650d, not 59d"],
      ["3651d", "must be 60d to 3650d, not 3651d"],
    ],
  },
  KEYS_REDIS_URL: {
    unset: undefined,
    accepted: [["rediss://:hunter2@keys:6379/1", "rediss://:hunter2@keys:6379/1"]],
    refused: [["http://keys:6379", /redis:\/\//]],
    show: open,
  },
  SATYAPAN_SUBJECT_KEY: {
    unset: undefined,
    accepted: [
      [KEY, KEY],
      [BYTES.toString("base64url"), KEY],
    ],
    refused: [
      ["c2hvcnQ=", "must be 32 bytes in base64: `openssl rand -base64 32` makes it"],
      [`k1:${KEY}`, "must be 32 bytes in base64"],
    ],
    show: open,
  },
  SEAL_INPUTS: {
    unset: "fields",
    accepted: [
      ["fields", "fields"],
      ["whole", "whole"],
    ],
    refused: [["both", "must be one of fields, whole"]],
  },
};

function read(name: SettingName, text?: string): { readonly value?: unknown; readonly says: readonly string[] } {
  const result = settingsSchema.safeParse(text === undefined ? {} : { [name]: text });
  if (!result.success) return { says: result.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`) };
  const value = result.data[name];
  const row: Row<SettingName> = TABLE[name];
  return { value: value === undefined ? value : (row.show?.(value) ?? value), says: [] };
}

describe.each(SETTINGS)("$name", ({ name: text, secret, meaning, takes }) => {
  const name = settingsSchema.keyof().parse(text);
  const { unset, accepted, refused } = TABLE[name];

  it("has its default where it is unset", () => {
    expect(read(name).value).toEqual(unset);
  });

  it.each(accepted)("accepts %j", (given, value) => {
    expect(read(name, given)).toEqual({ value, says: [] });
  });

  it.each(refused)("refuses %j", (given, part) => {
    const { says } = read(name, given);
    expect(says).toHaveLength(1);
    expect(says[0]?.replace(`${name} `, "")).toMatch(part);
    expect(says[0]).not.toContain("\n");
    expect(says[0]).not.toContain("hunter2");
    if (secret) expect(says[0]).not.toContain(given);
  });

  it("is described for the documentation", () => {
    expect(meaning).toMatch(/^[A-Z`].*\.$/);
    expect(takes).not.toBe("");
  });
});
