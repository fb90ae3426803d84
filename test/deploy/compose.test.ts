import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Ajv, type ValidateFunction } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { SIMULATOR_CREDENTIALS, simulatorEnvironment } from "../../simulator/credentials.ts";
import { SETTINGS } from "../../src/config/definitions.ts";
import { readDuration } from "../../src/base/duration.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";
import { composeFile, envFile, interpolate, manifest, readCompose, ROOT, service } from "./compose-file.ts";

const { services, networks, volumes, secrets } = composeFile();
const names = Object.keys(services);

const require = createRequire(import.meta.url);

/** The compose specification's own schema; the package dclint brings a recent copy of it. */
function specification(): ValidateFunction {
  const folder = pathToFileURL(require.resolve("dclint/package.json"));
  const schema = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(new URL("schemas/compose.schema.json", folder), "utf8")));
  // It says https://json-schema.org/draft-07/schema; Ajv knows it under its http name and takes it by default.
  delete schema["$schema"];
  return new Ajv({ strict: false, allErrors: true }).compile(schema);
}

describe("docker-compose.yml", () => {
  it("is valid by the compose specification's schema", () => {
    const validate = specification();
    validate(readCompose());
    expect(validate.errors).toBeNull();
  });

  it("would not be, with a misspelt key (so the schema does check)", () => {
    const validate = specification();
    expect(validate({ services: { redis: { image: "redis:7", restrat: "always" } } })).toBe(false);
    expect(JSON.stringify(validate.errors)).toContain("restrat");
  });

  it("brings up Redis, workers, Prometheus, Alertmanager with a pager and Grafana; the rest only as profiles", () => {
    expect(names.filter((name) => services[name]?.profiles.length === 0)).toEqual([
      "redis",
      "worker",
      "prometheus",
      "alertmanager",
      "pager",
      "grafana",
    ]);
    expect(service("simulator").profiles).toEqual(["simulator", "demo"]);
    expect(service("demo").profiles).toEqual(["demo"]);
    expect(interpolate(service("worker").deploy?.replicas ?? "")).toBe("2");
    expect(service("operator")).toMatchObject({
      profiles: ["operator"],
      restart: "no",
      healthcheck: { disable: true },
    });
  });

  it.each(names)("pins the image of %s to a full version", (name) => {
    expect(service(name).image).toMatch(/^[a-z/]+:v?\d+\.\d+\.\d+(-[a-z]+)?$/);
  });

  it("builds the project's own image once, tagged with the project's version, and never pulls it", () => {
    const image = `satyapan:${manifest().version}`;
    expect(service("worker")).toMatchObject({ image, build: "." });
    for (const name of ["simulator", "operator", "demo", "pager"]) {
      expect(service(name)).toMatchObject({ image, pull_policy: "never" });
      expect(service(name).build).toBeUndefined();
    }
  });

  it.each(names)("gives %s no capability, no way to gain privileges, no core files and logs that end", (name) => {
    expect(service(name)).toMatchObject({
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      ulimits: { core: 0 },
    });
    expect(Object.keys(service(name).logging.options)).toEqual(["max-size", "max-file"]);
  });

  it.each(names.filter((name) => name !== "operator"))("gives %s a health check", (name) => {
    expect(service(name).healthcheck.test[0]).toBe("CMD");
  });

  it.each(["worker", "operator", "simulator", "demo", "pager"])(
    "runs %s on a read-only root with an init process, nothing of /tmp can be run",
    (name) => {
      expect(service(name)).toMatchObject({ read_only: true, init: true, tmpfs: ["/tmp:noexec,nosuid,nodev"] });
    },
  );

  it("publishes ports on the loopback address only, and Redis not at all", () => {
    for (const port of names.flatMap((name) => service(name).ports)) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(service("redis").ports).toEqual([]);
    expect(service("worker").ports).toEqual([]); // or two workers could not run side by side
  });

  it("lets only worker, operator and the demo reach Redis, and Redis reach nothing outside", () => {
    expect(service("redis").networks).toEqual(["queue"]);
    expect(networks["queue"]).toEqual({ internal: true });
    const reaching = names.filter((name) => service(name).networks.includes("queue"));
    expect(reaching).toEqual(["redis", "worker", "operator", "demo"]);
  });

  it("runs Redis with an AOF on a named volume, and refuses writes rather than evict jobs", () => {
    const { command, volumes: mounts } = service("redis");
    const option = (name: string): string | undefined => command[command.indexOf(`--${name}`) + 1];
    expect(option("appendonly")).toBe("yes");
    expect(option("maxmemory-policy")).toBe("noeviction");
    expect(option("hash-max-listpack-value")).toBe("1024");
    expect(mounts).toEqual(["redis-data:/data"]);
  });

  it("gives each service the secrets that it needs as files, and none in its environment", () => {
    expect(Object.fromEntries(names.map((name) => [name, service(name).secrets]))).toEqual({
      redis: ["redis-users"],
      worker: ["redis-url-worker", "encryption-keys", "subject-key"],
      operator: ["redis-url-operator", "encryption-keys", "subject-key"],
      simulator: [],
      demo: ["redis-url-operator", "encryption-keys", "subject-key"],
      prometheus: [],
      alertmanager: [],
      pager: [],
      grafana: [],
    });
    const secret = new Set(SETTINGS.filter((setting) => setting.secret).map((setting) => setting.name));
    for (const name of names) {
      for (const variable of Object.keys(service(name).environment))
        expect([...secret], variable).not.toContain(variable);
    }
    expect(service("redis").command.slice(-2)).toEqual(["--aclfile", "/run/secrets/redis-users"]);
  });

  it("says how to make the secrets where they are missing", () => {
    for (const { file } of Object.values(secrets)) {
      expect(() => interpolate(file)).toThrow("run `sh deploy/secrets.sh` first (docs/deployment.md)");
    }
  });

  it("mounts only volumes that it declares and files that exist", () => {
    for (const mount of names.flatMap((name) => service(name).volumes)) {
      if (mount.startsWith("${SECRETS_DIR:?")) continue; // deploy/secrets.sh makes it
      const source = mount.split(":")[0] ?? "";
      if (source.startsWith(".")) expect(existsSync(new URL(source, ROOT)), source).toBe(true);
      else expect(Object.keys(volumes)).toContain(source);
    }
  });
});

describe("the worker's environment in docker-compose.yml", () => {
  let folder: TempDir;
  beforeAll(async () => {
    folder = await makeTempDir();
    await promisify(execFile)("sh", [fileURLToPath(new URL("deploy/secrets.sh", ROOT)), folder.path]);
  });
  afterAll(async () => await folder[Symbol.asyncDispose]());
  const publicKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({
    type: "spki",
    format: "pem",
  });

  /** As a container of this service reads them. */
  function settings(name: string): Settings {
    const { env_file: files, environment } = service(name);
    const variables = new Map<string, string>();
    for (const file of files) envFile(interpolate(file)).forEach((value, key) => variables.set(key, value));
    for (const [key, value] of Object.entries(environment)) variables.set(key, interpolate(value));
    const readFile = (path: string): string => {
      const [, secret] = /^\/run\/secrets\/(.+)$/.exec(path) ?? [];
      if (secret === undefined) return String(publicKey);
      expect(service(name).secrets).toContain(secret);
      const file = interpolate(secrets[secret]?.file ?? "", { SECRETS_DIR: folder.path });
      return readFileSync(file, "utf8");
    };
    return parseSettings(Object.fromEntries(variables), { readFile, operations: [] });
  }

  it("makes settings that a worker accepts, after deploy/secrets.sh and nothing else", () => {
    const { eko, deepvue, redisUrl, worker, warnings } = settings("worker");
    expect(redisUrl?.open()).toMatch(/^redis:\/\/satyapan-worker:[0-9a-f]{64}@redis:6379$/);
    expect([eko?.baseUrl.href, deepvue?.baseUrl.href]).toEqual([
      "http://simulator:4010/ekoapi/v3",
      "http://simulator:4010/",
    ]);
    expect(worker.metricsPort).toBe(9464);
    expect(warnings).toEqual([]);
  });

  it("has the same keys as the operator's, and another user of Redis", () => {
    const [worker, operator] = [settings("worker"), settings("operator")];
    expect(operator.subjectKey.open()).toBe(worker.subjectKey.open());
    expect(operator.redisUrl?.open()).toMatch(/^redis:\/\/satyapan-operator:/);
  });

  it("has, by default, the simulator's made-up credentials and no others", () => {
    const wanted = new Map(
      Object.entries(simulatorEnvironment("http://simulator:4010", SIMULATOR_CREDENTIALS, "the simulator's own")),
    );
    wanted.delete("EKO_AADHAAR_PUBLIC_KEY");
    const given = envFile("deploy/simulator.env");
    expect(service("simulator").command).toContain(given.get("EKO_AADHAAR_PUBLIC_KEY_FILE"));
    given.delete("EKO_AADHAAR_PUBLIC_KEY_FILE");
    expect(given.get("HEARTBEAT_BASE_URL")).toBe("http://simulator:4010");
    given.delete("HEARTBEAT_BASE_URL");
    expect(given).toEqual(wanted);
  });

  it("gives a stopping worker longer than its own grace", () => {
    const grace = readDuration(service("worker").stop_grace_period ?? "", { least: 0, most: 600_000 });
    expect(grace).toBeGreaterThan(settings("worker").worker.shutdownGraceMs + 2_000); // 2 s to abort what is left
  });
});
