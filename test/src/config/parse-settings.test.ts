import { inspect } from "node:util";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { SETTINGS } from "../../../src/config/definitions.ts";
import type { Environment } from "../../../src/base/setting.ts";
import { parseSettings, type SettingsSources } from "../../../src/config/parse-settings.ts";
import { pathSettings } from "../../../src/operations/path-settings.ts";
import type { Settings } from "../../../src/config/settings.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { parseKeyRing } from "../../../src/privacy/keys/key-ring.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { refusal } from "../providers/refusal.ts";

const SEALING_KEY = Buffer.alloc(32, 0xfb).toString("base64");
const SUBJECT_KEY = Buffer.alloc(32, 0xb2).toString("base64");
const LOCAL = {
  keys: parseKeyRing(`local:${Buffer.alloc(32, 1).toString("base64")}`),
  subjectKey: new Secret(Buffer.alloc(32, 2).toString("base64")),
};

const VERIFY = "/customer/payment/dmt-levin/sender/{customer_id}/aadhaar/otp/verify";
const OPERATIONS = [
  { name: "eko.dmt-levin.aadhaar-otp.verify", path: VERIFY },
  { name: "eko.mobile-otp", path: "/tools/kyc/mobile/otp" },
];

const EKO = {
  EKO_DEVELOPER_KEY: "planted-developer-key",
  EKO_ACCESS_KEY: "planted-access-key",
  EKO_INITIATOR_ID: "9962981729",
  EKO_USER_CODE: "20810200",
};
const DEEPVUE = { DEEPVUE_CLIENT_ID: "planted-client-id", DEEPVUE_CLIENT_SECRET: "planted-client-secret" };
const KEYS = { SATYAPAN_ENCRYPTION_KEYS: `k1:${SEALING_KEY}`, SATYAPAN_SUBJECT_KEY: SUBJECT_KEY };

/** No file is there, but those of `files`. */
function parse(environment: Environment, { files = {}, ...sources }: Partial<SettingsSources> & Files = {}): Settings {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text !== undefined) return text;
    throw Object.assign(new Error(`no such file, open '${path}'`), { code: "ENOENT" });
  };
  return parseSettings(environment, { readFile, operations: OPERATIONS, localKeys: () => LOCAL, ...sources });
}
interface Files {
  readonly files?: Readonly<Record<string, string>>;
}

/** What is wrong, a line each: one alone is the whole message. */
function problems(...given: Parameters<typeof parse>): readonly string[] {
  const error = refusal(() => parse(...given));
  expect(error.code).toBe(ErrorCode.BAD_SETTINGS);
  const [head = "", ...lines] = error.message.split("\n");
  if (lines.length === 0) return [head];
  expect(head).toBe("the settings are wrong, so nothing was started:");
  for (const line of lines) expect(line).toMatch(/^ {2}[A-Z_]+ /);
  return lines.map((line) => line.trim());
}

describe("parseSettings", () => {
  it("needs nothing: a folder has its own Redis and keys, and serves no provider", () => {
    const settings = parse({});
    expect(settings).toEqual({
      redisUrl: null,
      callPrices: new Map(),
      eko: null,
      deepvue: null,
      quotas: {
        eko: [{ max: 10, ms: 1_000 }],
        deepvue: [
          { max: 1, ms: 1_000 },
          { max: 30, ms: 60_000 },
          { max: 1_000, ms: 86_400_000 },
        ],
      },
      otp: { cooldownMs: 60_000, limit: { max: 5, ms: 1_800_000 } },
      holdProbeMs: 300_000,
      bulkFloor: 0.1,
      calls: {
        ...{ timeoutMs: 30_000, attempts: 5, backoffBaseMs: 1_000, backoffCapMs: 60_000 },
        pendingDelaysMs: [60_000, 120_000, 300_000],
      },
      worker: {
        concurrency: 50,
        shutdownGraceMs: 35_000,
        metricsHost: "127.0.0.1",
        metricsPort: 9_464,
        heartbeatBaseUrl: null,
      },
      keys: LOCAL.keys,
      keyService: null,
      keyLifeMs: 365 * 86_400_000,
      redisTls: { ca: null, client: null },
      allowDebugger: false,
      consentRequired: "deepvue",
      audit: { dir: null, keepMs: 30 * 86_400_000 },
      keysRedisUrl: null,
      subjectKey: LOCAL.subjectKey,
      sealsWhole: false,
      aadhaarChecksum: true,
      retention: { recordMs: 30 * 86_400_000, resultMs: 86_400_000, archives: false },
      logLevel: "info",
      logFormat: "json",
      tracing: null,
      paths: {},
      warnings: [],
    });
  });

  it("puts each setting in its place", () => {
    const settings = parse({
      ...EKO,
      ...DEEPVUE,
      ...KEYS,
      REDIS_URL: "redis://redis:6379/0",
      EKO_BASE_URL: "https://staging.eko.in/ekoapi/v3",
      EKO_AEPS_AADHAAR_FIELD: "aadhar",
      EKO_QUOTA: "7/1s",
      DEEPVUE_BASE_URL: "http://simulator:4010",
      DEEPVUE_QUOTA: "2/1s",
      DEEPVUE_PENDING_DELAYS: "9s",
      OTP_COOLDOWN: "45s",
      AADHAAR_CHECKSUM: "off",
      CALL_TIMEOUT: "11s",
      CALL_ATTEMPTS: "3",
      BACKOFF_BASE: "2s",
      BACKOFF_CAP: "20s",
      WORKER_CONCURRENCY: "8",
      SHUTDOWN_GRACE: "12s",
      METRICS_HOST: "::1",
      METRICS_PORT: "0",
      LOG_LEVEL: "debug",
      LOG_FORMAT: "pretty",
      RECORD_RETENTION: "7d",
    });
    expect(settings).toMatchObject({
      eko: { initiatorId: "9962981729", userCode: "20810200", aepsAadhaarField: "aadhar", aadhaarPublicKey: null },
      otp: { cooldownMs: 45_000, limit: { max: 5, ms: 1_800_000 } },
      aadhaarChecksum: false,
      calls: { timeoutMs: 11_000, attempts: 3, backoffBaseMs: 2_000, backoffCapMs: 20_000, pendingDelaysMs: [9_000] },
      worker: { concurrency: 8, shutdownGraceMs: 12_000, metricsHost: "::1", metricsPort: 0 },
      logLevel: "debug",
      logFormat: "pretty",
      retention: { recordMs: 7 * 86_400_000, resultMs: 86_400_000, archives: false },
    });
    expect(settings.redisUrl?.open()).toBe("redis://redis:6379/0");
    expect(settings.eko?.baseUrl.href).toBe("https://staging.eko.in/ekoapi/v3");
    expect(settings.eko?.developerKey.open()).toBe(EKO.EKO_DEVELOPER_KEY);
    expect(settings.eko?.accessKey.open()).toBe(EKO.EKO_ACCESS_KEY);
    expect(settings.deepvue?.baseUrl.href).toBe("http://simulator:4010/");
    expect(settings.deepvue?.clientId.open()).toBe(DEEPVUE.DEEPVUE_CLIENT_ID);
    expect(settings.deepvue?.clientSecret.open()).toBe(DEEPVUE.DEEPVUE_CLIENT_SECRET);
    expect(settings.quotas).toEqual({ eko: [{ max: 7, ms: 1_000 }], deepvue: [{ max: 2, ms: 1_000 }] });
    expect(settings.keys?.sealing.id).toBe("k1");
    expect(settings.subjectKey.open()).toBe(SUBJECT_KEY);
  });

  it("takes an empty variable for none, and no spaces or line ends around a value", () => {
    const settings = parse({ ...EKO, EKO_ACCESS_KEY: " planted-access-key\n", CALL_TIMEOUT: "", LOG_LEVEL: "  " });
    expect(settings.eko?.accessKey.open()).toBe("planted-access-key");
    expect(settings.calls.timeoutMs).toBe(30_000);
    expect(parse({ DEEPVUE_CLIENT_ID: "", DEEPVUE_CLIENT_SECRET: " " }).deepvue).toBeNull();
  });

  it("takes no provider's other settings for its credentials", () => {
    const settings = parse({ EKO_BASE_URL: "http://simulator:4010", DEEPVUE_QUOTA: "5/1s" });
    expect(settings).toMatchObject({ eko: null, deepvue: null });
  });

  it("says everything that is wrong at once, a line each", () => {
    expect(
      problems({
        EKO_BASE_URL: "http://api.eko.in",
        EKO_QUOTA: "ten",
        CALL_ATTEMPTS: "0",
        CALL_TIMEOUT: "30",
        SHUTDOWN_GRACE: "1s", // says nothing: what it is compared with is wrong itself
        BACKOFF_BASE: "2m",
        EKO_ACCESS_KEY: "planted",
        EKO_MOBILE_OTP_PATH: "otp",
        SATYAPAN_SUBJECT_KEY: "planted",
      }),
    ).toEqual([
      "EKO_BASE_URL must begin with https:// (http:// is for this machine and hosts of one label, like simulator)",
      'EKO_QUOTA must be windows of calls/duration, like 1/1s,30/1m,1000/1d, not "ten"',
      'CALL_TIMEOUT must have a unit, for example 30s or 30ms, not only "30"',
      'CALL_ATTEMPTS must be a whole number from 1 to 100, not "0"',
      "SATYAPAN_SUBJECT_KEY must be 32 bytes in base64: `openssl rand -base64 32` makes it",
      "BACKOFF_CAP (1m) must be at least BACKOFF_BASE (2m): raise it or lower the other",
      ...["EKO_DEVELOPER_KEY", "EKO_INITIATOR_ID", "EKO_USER_CODE"].map(
        (name) => expect.stringContaining(name) as string,
      ),
      expect.stringMatching(/^SATYAPAN_ENCRYPTION_KEYS is missing/),
      'EKO_MOBILE_OTP_PATH must be a path like /tools/kyc/mobile/otp: "/" first, no query, no "..", not "otp"',
    ]);
  });
});

describe("settings that must go together", () => {
  it.each([
    [
      { SHUTDOWN_GRACE: "30s" },
      "SHUTDOWN_GRACE (30s) must be longer than CALL_TIMEOUT (30s), or every deploy kills calls: raise it or lower the other",
    ],
    [
      { CALL_TIMEOUT: "40s" },
      "SHUTDOWN_GRACE (35s) must be longer than CALL_TIMEOUT (40s), or every deploy kills calls: raise it or lower the other",
    ],
    [
      { BACKOFF_BASE: "10s", BACKOFF_CAP: "9s" },
      "BACKOFF_CAP (9s) must be at least BACKOFF_BASE (10s): raise it or lower the other",
    ],
    [
      { ...EKO, EKO_ACCESS_KEY: undefined },
      "EKO_ACCESS_KEY is missing, while EKO_DEVELOPER_KEY, EKO_INITIATOR_ID, EKO_USER_CODE are set: set it or EKO_ACCESS_KEY_FILE, or none of them",
    ],
    [
      { ...EKO, EKO_USER_CODE: undefined },
      "EKO_USER_CODE is missing, while EKO_DEVELOPER_KEY, EKO_ACCESS_KEY, EKO_INITIATOR_ID are set: set it, or none of them",
    ],
    [
      { DEEPVUE_CLIENT_ID: "planted" },
      "DEEPVUE_CLIENT_SECRET is missing, while DEEPVUE_CLIENT_ID is set: set it or DEEPVUE_CLIENT_SECRET_FILE, or none of them",
    ],
    [
      { ...KEYS, SATYAPAN_SUBJECT_KEY: SEALING_KEY.replaceAll("+", "-").replaceAll("/", "_") },
      "SATYAPAN_SUBJECT_KEY must not be one of SATYAPAN_ENCRYPTION_KEYS: set it to what another `openssl rand -base64 32` prints",
    ],
    [
      { SATYAPAN_ENCRYPTION_KEYS: KEYS.SATYAPAN_ENCRYPTION_KEYS },
      "SATYAPAN_SUBJECT_KEY is missing (only the other key is set): set it to what another `openssl rand -base64 32` prints",
    ],
  ])("are refused in %o", (environment, problem) => {
    expect(problems(environment)).toEqual([problem]);
  });

  it("may be equal where that is harmless", () => {
    expect(parse({ BACKOFF_BASE: "60s" }).calls.backoffCapMs).toBe(60_000);
  });
});

describe("keys", () => {
  it("are needed with REDIS_URL, because the folder's own are not on the other machines", () => {
    expect(problems({ REDIS_URL: "redis://redis" })).toEqual([
      "SATYAPAN_ENCRYPTION_KEYS is missing (with REDIS_URL set, all processes need the same keys): " +
        "set it to k1:KEY, where KEY is what `openssl rand -base64 32` prints",
      "SATYAPAN_SUBJECT_KEY is missing (with REDIS_URL set, all processes need the same keys): " +
        "set it to what another `openssl rand -base64 32` prints",
    ]);
  });

  it("are not made where they are given, nor where anything is wrong", () => {
    const localKeys = (): never => {
      throw new Error("keys were made");
    };
    expect(parse(KEYS, { localKeys }).keys?.sealing.id).toBe("k1");
    expect(problems({ CALL_ATTEMPTS: "0" }, { localKeys })).toHaveLength(1);
  });

  it("are needed where none can be made", () => {
    const sources = { operations: OPERATIONS, readFile: () => "" };
    const { message } = refusal(() => parseSettings({}, sources));
    expect(message).toContain("SATYAPAN_ENCRYPTION_KEYS is missing (no keys can be made here)");
  });
});

describe("a key service", () => {
  const REDIS_URL = "redis://redis";
  const subject = { SATYAPAN_SUBJECT_KEY: SUBJECT_KEY };

  it("stands for the ring, which may be there to unwrap", () => {
    const KEY_PROVIDER = "https://keys.example.com/v1";
    const alone = parse({ REDIS_URL, KEY_PROVIDER, ...subject });
    expect(alone.keys).toBeNull();
    expect(alone.keyService).toMatchObject({ kind: "http", token: null });
    const both = parse({ REDIS_URL, KEY_PROVIDER, KEY_PROVIDER_TOKEN: "planted-token", ...KEYS });
    expect(both.keys?.sealing.id).toBe("k1");
    expect(both.keyService?.kind === "http" && both.keyService.token?.open()).toBe("planted-token");
    expect(problems({ REDIS_URL, KEY_PROVIDER })).toEqual([expect.stringMatching(/^SATYAPAN_SUBJECT_KEY is missing/)]);
    expect(parse({ KEY_PROVIDER }).keys).toBe(LOCAL.keys);
  });

  it("that is a program sees the environment without our secrets, and no settings show it", () => {
    const environment = {
      ...{ REDIS_URL, ...KEYS, ...EKO, EKO_ACCESS_KEY: "planted-access-key", KEYS_REDIS_URL: "redis://:hunter2@keys" },
      ...{ KEY_PROVIDER: "command:/opt/kms", KMS_REGION: "ap-south-1", DEEPVUE_CLIENT_SECRET_FILE: "", PATH: "/bin" },
    };
    const { keyService, keysRedisUrl } = parse(environment);
    if (keyService?.kind !== "command") throw new Error("it is no command");
    expect(keyService.program).toBe("/opt/kms");
    const seen = keyService.environment();
    expect(seen).toMatchObject({ KMS_REGION: "ap-south-1", PATH: "/bin", EKO_USER_CODE: EKO.EKO_USER_CODE });
    expect(JSON.stringify(seen)).not.toMatch(/planted|hunter2|_FILE/);
    expect(Object.values(seen)).not.toContain(KEYS.SATYAPAN_ENCRYPTION_KEYS);
    expect(JSON.stringify(keyService) + inspect(keyService, { depth: 9 })).not.toContain("ap-south-1");
    expect(keysRedisUrl?.open()).toBe("redis://:hunter2@keys");
  });

  it.each([{}, { KEY_PROVIDER: "command:/opt/kms" }])("has no use for a token without a URL: %j", (given) => {
    expect(problems({ REDIS_URL, ...KEYS, ...given, KEY_PROVIDER_TOKEN: "planted-token" })).toEqual([
      "KEY_PROVIDER_TOKEN has no use: set KEY_PROVIDER to the URL of the key service, or take it away",
    ]);
  });
});

it("the data keys' own Redis is another server than that of the jobs", () => {
  const message = expect.stringMatching(/^KEYS_REDIS_URL must be another server than REDIS_URL/) as string;
  for (const [jobs, keys] of [
    ["redis://redis:6379/0", "redis://:hunter2@redis:6379/1"],
    ["unix:///run/redis.sock", "unix:///run/redis.sock"],
  ] as const)
    expect(problems({ ...KEYS, REDIS_URL: jobs, KEYS_REDIS_URL: keys })).toEqual([message]);
  const apart = { ...KEYS, REDIS_URL: "unix:///run/redis.sock", KEYS_REDIS_URL: "unix:///run/keys.sock" };
  expect(parse(apart).keysRedisUrl?.open()).toBe("unix:///run/keys.sock");
});

describe("secrets in files", () => {
  const files = { "/run/secrets/access": "planted-access-key\n", "/run/secrets/empty": "\n" };

  it("are read from the file that NAME_FILE names, without the line end", () => {
    const settings = parse({ ...EKO, EKO_ACCESS_KEY: "", EKO_ACCESS_KEY_FILE: "/run/secrets/access" }, { files });
    expect(settings.eko?.accessKey.open()).toBe("planted-access-key");
  });

  it.each(SETTINGS.filter(({ file }) => file).map(({ name }) => name))("are understood for %s", (name) => {
    const missing = problems({ [`${name}_FILE`]: "/run/secrets/none" });
    expect(missing).toContain(`${name}_FILE names a file that cannot be read (ENOENT): /run/secrets/none`);
    expect(missing.filter((line) => line.startsWith(`${name} is missing`))).toEqual([]);
  });

  it("are all the secrets there are", () => {
    expect(SETTINGS.filter(({ secret, file }) => secret && !file)).toEqual([]);
  });

  it("are refused beside the variable itself", () => {
    expect(problems({ ...EKO, EKO_ACCESS_KEY_FILE: "/run/secrets/access" }, { files })).toEqual([
      "EKO_ACCESS_KEY and EKO_ACCESS_KEY_FILE are both set: keep one of them",
    ]);
  });

  it("are refused where the file is empty", () => {
    const environment = { ...EKO, EKO_ACCESS_KEY: undefined, EKO_ACCESS_KEY_FILE: "/run/secrets/empty" };
    expect(problems(environment, { files })).toEqual(["EKO_ACCESS_KEY_FILE names an empty file: /run/secrets/empty"]);
  });

  it("are not repeated where the secret itself was put for its path", () => {
    const environment = { ...EKO, EKO_ACCESS_KEY: undefined, EKO_ACCESS_KEY_FILE: "planted-access-key" };
    expect(problems(environment)).toEqual([
      "EKO_ACCESS_KEY_FILE names a file that cannot be read (ENOENT); give its path beginning with / or ./",
    ]);
  });

  it("are no way for what is not secret", () => {
    const settings = parse({ CALL_TIMEOUT_FILE: "/run/secrets/none", EKO_QUOTA_FILE: "/run/secrets/none" });
    expect(settings.warnings).toEqual([
      "CALL_TIMEOUT_FILE has no effect: only secrets are read from files; set CALL_TIMEOUT",
      "EKO_QUOTA_FILE has no effect: only secrets are read from files; set EKO_QUOTA",
    ]);
  });
});

describe("paths of operations", () => {
  const VARIABLE = "EKO_DMT_LEVIN_AADHAAR_OTP_VERIFY_PATH";

  it("have a variable for each operation", () => {
    expect(pathSettings(OPERATIONS).map(({ name, default: path }) => [name, path])).toEqual([
      [VARIABLE, VERIFY],
      ["EKO_MOBILE_OTP_PATH", "/tools/kyc/mobile/otp"],
    ]);
  });

  it("are kept only where they differ from the catalogue's", () => {
    const other = "/customer/{customer_id}/verify-otp";
    expect(parse({ [VARIABLE]: other, EKO_MOBILE_OTP_PATH: "/tools/kyc/mobile/otp" }).paths).toEqual({
      "eko.dmt-levin.aadhaar-otp.verify": other,
    });
  });

  it.each([
    ["/customer/verify", `must have the default's placeholders, {customer_id}, once each: ${VERIFY}`],
    ["/{customer_id}/{customer_id}", `must have the default's placeholders, {customer_id}, once each: ${VERIFY}`],
    ["/{customer_id}/{otp}", `must have the default's placeholders, {customer_id}, once each: ${VERIFY}`],
    ["/{customerId}", `must be a path like ${VERIFY}: "/" first, no query, no "..", not "/{customerId}"`],
    ...[
      "{customer_id}/verify",
      "/a/{customer_id}/",
      "//{customer_id}",
      "/../{customer_id}",
      "/{customer_id}/.",
      "/",
    ].map((path) => [path, `must be a path like ${VERIFY}: "/" first, no query, no "..", not "${path}"`]),
    ...[
      "/{customer_id}?a=b",
      "/{customer_id}#a",
      "/{customer_id",
      "/{customer_id}/%2e%2e",
      "https://x/{customer_id}",
    ].map((path) => [path, `must be a path like ${VERIFY}: "/" first, no query, no "..", not "${path}"`]),
  ])("are refused: %s", (path, problem) => {
    expect(problems({ [VARIABLE]: path })).toEqual([`${VARIABLE} ${problem}`]);
  });

  it("are refused with a placeholder that nothing fills", () => {
    expect(problems({ EKO_MOBILE_OTP_PATH: "/otp/{mobile}" })).toEqual([
      "EKO_MOBILE_OTP_PATH must have no {placeholders}, as the default has none: /tools/kyc/mobile/otp",
    ]);
  });
});

describe("warnings", () => {
  it("name variables that look like ours and are none, with the one that is meant", () => {
    const environment = {
      EKO_ACESS_KEY: "planted",
      DEEPVUE_COLOUR: "red",
      SATYAPAN_SUBJECTKEY: "planted",
      HOME: "/root",
    };
    expect(parse(environment).warnings).toEqual([
      "DEEPVUE_COLOUR is not a setting and has no effect",
      "EKO_ACESS_KEY is not a setting and has no effect: is EKO_ACCESS_KEY meant?",
      "SATYAPAN_SUBJECTKEY is not a setting and has no effect: is SATYAPAN_SUBJECT_KEY meant?",
    ]);
  });

  it("are not given for what is ours", () => {
    const environment = { ...EKO, ...DEEPVUE, ...KEYS, EKO_MOBILE_OTP_PATH: "/otp" };
    expect(parse(environment).warnings).toEqual([]);
  });
});

describe("privacy", () => {
  const environment = { ...EKO, ...DEEPVUE, ...KEYS, REDIS_URL: "redis://:planted-password@redis:6379/0" };
  const planted = [/planted/, new RegExp(SEALING_KEY.slice(0, 20).replaceAll("+", String.raw`\+`)), /srKysr/, /fb fb/];

  it("keeps every secret out of whatever prints the settings", () => {
    const settings = parse(environment);
    const lines: string[] = [];
    pino({ level: "trace" }, { write: (line) => void lines.push(line) }).info({ settings }, "settings");
    for (const depth of [2, null]) lines.push(inspect(settings, { depth, showHidden: true }));
    lines.push(JSON.stringify(settings));
    for (const secret of planted) expect(lines.join("\n")).not.toMatch(secret);
  });

  it("keeps every secret out of the errors, wrong as it may be", () => {
    const wrong: Record<string, string> = { EKO_BASE_URL: "https://u:planted@eko" };
    for (const [name, value] of Object.entries(environment)) wrong[name] = `${value} planted`;
    const error = refusal(() => parse(wrong));
    expect(error.message.split("\n").length).toBeGreaterThan(8);
    for (const secret of planted) expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(secret);
  });
});

describe("a value in quotation marks", () => {
  it.each(['"planted-key"', "'planted-key'", 'planted-key"', "`planted-key`"])(
    "is warned of by name where it is accepted: %s",
    (text) => {
      const { warnings } = parse({ ...EKO, ...KEYS, REDIS_URL: "redis://redis", EKO_DEVELOPER_KEY: text });
      expect(warnings).toEqual([
        "EKO_DEVELOPER_KEY begins or ends with a quotation mark, which is taken as a part of it: write the value without quotation marks",
      ]);
    },
  );

  it("is warned of in a secret's file, too", () => {
    const { EKO_ACCESS_KEY: _, ...rest } = EKO;
    const files = { "/run/key": '"planted-key"\n' };
    const { warnings } = parse({ ...rest, EKO_ACCESS_KEY_FILE: "/run/key" }, { files });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^EKO_ACCESS_KEY begins or ends with a quotation mark/);
    expect(warnings[0]).not.toContain("planted");
  });

  it("is the hint where it is refused", () => {
    expect(problems({ ...EKO, EKO_USER_CODE: '"20810200"' })).toEqual([
      'EKO_USER_CODE must be 1 to 64 letters, digits, "_" or "-"; it begins or ends with a quotation mark: write it without',
    ]);
    expect(problems({ ...KEYS, REDIS_URL: '"redis://redis"' })[0]).toMatch(/quotation mark: write it without$/);
  });
});

it("a heartbeat never goes to a provider; to a simulator, which is no provider, it does", () => {
  const given = { REDIS_URL: "redis://redis:6379/0", ...KEYS };
  const HEARTBEAT_BASE_URL = "https://api.eko.in/somewhere";
  expect(problems({ ...given, HEARTBEAT_BASE_URL })).toEqual([
    "HEARTBEAT_BASE_URL must not be a provider's: leave it out, or set it to a host of your own",
  ]);
  for (const url of ["https://heartbeat.example.com/", "http://127.0.0.1:4010/"]) {
    expect(parse({ ...given, HEARTBEAT_BASE_URL: url }).worker.heartbeatBaseUrl?.href).toBe(url);
  }
});
