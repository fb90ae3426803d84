import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Ajv, type ValidateFunction } from "ajv";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { SIMULATOR_CREDENTIALS, simulatorEnvironment } from "../../simulator/credentials.ts";
import { readDuration } from "../../src/config/duration.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { composeFile, envFile, interpolate, manifest, readCompose, ROOT, service } from "./compose-file.ts";

const { services, networks, volumes } = composeFile();
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

  it("brings up Redis, worker, Prometheus and Grafana, and the simulator only as a profile", () => {
    expect(names.filter((name) => services[name]?.profiles.length === 0)).toEqual([
      "redis",
      "worker",
      "prometheus",
      "grafana",
    ]);
    expect(service("simulator").profiles).toEqual(["simulator"]);
  });

  it.each(names)("pins the image of %s to a full version", (name) => {
    expect(service(name).image).toMatch(/^[a-z/]+:v?\d+\.\d+\.\d+(-[a-z]+)?$/);
  });

  it("builds the project's own image once, tagged with the project's version, and never pulls it", () => {
    const image = `satyapan:${manifest().version}`;
    expect(service("worker")).toMatchObject({ image, build: "." });
    expect(service("simulator")).toMatchObject({ image, pull_policy: "never" });
    expect(service("simulator").build).toBeUndefined();
  });

  it.each(names)("gives %s a health check, no capability, no way to gain privileges and logs that end", (name) => {
    expect(service(name)).toMatchObject({
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    expect(Object.keys(service(name).logging.options)).toEqual(["max-size", "max-file"]);
    expect(service(name).healthcheck.test[0]).toBe("CMD");
  });

  it("runs the worker on a read-only root with an init process", () => {
    expect(service("worker")).toMatchObject({ read_only: true, init: true });
  });

  it("publishes ports on the loopback address only, and Redis not at all", () => {
    for (const port of names.flatMap((name) => service(name).ports)) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(service("redis").ports).toEqual([]);
    expect(service("worker").ports).toEqual([]); // or two workers could not run side by side
  });

  it("lets only the worker reach Redis, and Redis reach nothing outside", () => {
    expect(service("redis").networks).toEqual(["queue"]);
    expect(networks["queue"]).toEqual({ internal: true });
    expect(names.filter((name) => service(name).networks.includes("queue"))).toEqual(["redis", "worker"]);
  });

  it("runs Redis with an AOF on a named volume, and refuses writes rather than evict jobs", () => {
    const { command, volumes: mounts } = service("redis");
    const option = (name: string): string | undefined => command[command.indexOf(`--${name}`) + 1];
    expect(option("appendonly")).toBe("yes");
    expect(option("maxmemory-policy")).toBe("noeviction");
    expect(mounts).toEqual(["redis-data:/data"]);
  });

  it("mounts only volumes that it declares and files that exist", () => {
    for (const mount of names.flatMap((name) => service(name).volumes)) {
      const source = mount.split(":")[0] ?? "";
      if (source.startsWith(".")) expect(existsSync(new URL(source, ROOT)), source).toBe(true);
      else expect(Object.keys(volumes)).toContain(source);
    }
  });
});

describe("the worker's environment in docker-compose.yml", () => {
  const keys = {
    SATYAPAN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
  };
  const publicKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({
    type: "spki",
    format: "pem",
  });

  function settings(values: Record<string, string>): Settings {
    const { env_file: files, environment } = service("worker");
    const variables = new Map<string, string>();
    for (const file of files) envFile(interpolate(file, values)).forEach((value, name) => variables.set(name, value));
    for (const [name, value] of Object.entries(environment)) variables.set(name, interpolate(value, values));
    return parseSettings(Object.fromEntries(variables), { readFile: () => String(publicKey), operations: [] });
  }

  it("makes settings that a worker accepts, with two keys given and nothing else", () => {
    const { eko, deepvue, redisUrl, worker, warnings } = settings(keys);
    expect(redisUrl?.open()).toBe("redis://redis:6379");
    expect([eko?.baseUrl.href, deepvue?.baseUrl.href]).toEqual([
      "http://simulator:4010/ekoapi/v3",
      "http://simulator:4010/",
    ]);
    expect(worker.metricsPort).toBe(9464);
    expect(warnings).toEqual([]);
  });

  it.each(["SATYAPAN_ENCRYPTION_KEYS", "SATYAPAN_SUBJECT_KEY"] as const)(
    "is refused without %s, saying how to make it",
    (name) => {
      expect(() => settings({ ...keys, [name]: "" })).toThrow(
        new RegExp(`put ${name}=.+ into \\.env.+openssl rand -base64 32.+docs/deployment\\.md`),
      );
    },
  );

  it("has, by default, the simulator's made-up credentials and no others", () => {
    const wanted = new Map(
      Object.entries(simulatorEnvironment("http://simulator:4010", SIMULATOR_CREDENTIALS, "the simulator's own")),
    );
    wanted.delete("EKO_AADHAAR_PUBLIC_KEY");
    const given = envFile("deploy/simulator.env");
    expect(service("simulator").command).toContain(given.get("EKO_AADHAAR_PUBLIC_KEY_FILE"));
    given.delete("EKO_AADHAAR_PUBLIC_KEY_FILE");
    expect(given).toEqual(wanted);
  });

  it("gives a stopping worker longer than its own grace", () => {
    const grace = readDuration(service("worker").stop_grace_period ?? "", { least: 0, most: 600_000 });
    expect(grace).toBeGreaterThan(settings(keys).worker.shutdownGraceMs + 2_000); // 2 s to abort what is left
  });
});
