/** What the simulated providers know their one client by. All of it is made up. */
export interface SimulatorCredentials {
  readonly eko: {
    readonly developerKey: string;
    readonly accessKey: string;
    readonly initiatorId: string;
    readonly userCode: string;
  };
  readonly deepvue: { readonly clientId: string; readonly clientSecret: string };
}

export const SIMULATOR_CREDENTIALS: SimulatorCredentials = {
  eko: {
    developerKey: "simulated-developer-key",
    accessKey: "simulated-access-key",
    initiatorId: "9000000001",
    userCode: "20000001",
  },
  deepvue: { clientId: "simulated-client-id", clientSecret: "simulated-client-secret" },
};

/** Eko's context path on staging (facts/eko §2). */
export const EKO_BASE_PATH = "/ekoapi/v3";

/** The environment variables that a Satyapan process needs to talk to this simulator. */
export type SimulatorEnvironment = Readonly<Record<(typeof ENVIRONMENT_NAMES)[number], string>>;
const ENVIRONMENT_NAMES = [
  "EKO_BASE_URL",
  "EKO_DEVELOPER_KEY",
  "EKO_ACCESS_KEY",
  "EKO_INITIATOR_ID",
  "EKO_USER_CODE",
  "EKO_AADHAAR_PUBLIC_KEY",
  "DEEPVUE_BASE_URL",
  "DEEPVUE_CLIENT_ID",
  "DEEPVUE_CLIENT_SECRET",
] as const;

/** `aadhaarPublicKey` is base64 SPKI (DER) on one line. */
export function simulatorEnvironment(
  url: string,
  credentials: SimulatorCredentials,
  aadhaarPublicKey: string,
): SimulatorEnvironment {
  return {
    EKO_BASE_URL: `${url}${EKO_BASE_PATH}`,
    EKO_DEVELOPER_KEY: credentials.eko.developerKey,
    EKO_ACCESS_KEY: credentials.eko.accessKey,
    EKO_INITIATOR_ID: credentials.eko.initiatorId,
    EKO_USER_CODE: credentials.eko.userCode,
    EKO_AADHAAR_PUBLIC_KEY: aadhaarPublicKey,
    DEEPVUE_BASE_URL: url,
    DEEPVUE_CLIENT_ID: credentials.deepvue.clientId,
    DEEPVUE_CLIENT_SECRET: credentials.deepvue.clientSecret,
  };
}

/** The same as lines for a POSIX shell. */
export function exportLines(environment: SimulatorEnvironment): string {
  return ENVIRONMENT_NAMES.map(
    (name) => `export ${name}='${environment[name].replaceAll("'", String.raw`'\''`)}'\n`,
  ).join("");
}
