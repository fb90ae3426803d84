import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A certificate with its key, both PEM, made up in memory: none lies in the repository. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

interface Validity {
  /** Default: a day ago. */
  readonly notBefore?: Date;
  /** Default: a day from now. */
  readonly notAfter?: Date;
}

interface IssueOptions extends Validity {
  /** A server's: the address it is for, IPv4. */
  readonly ip?: string;
}

const DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = der(0x30, Buffer.from("06082a8648ce3d040302", "hex"));
const COMMON_NAME = Buffer.from("0603550403", "hex");
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex");
/** Critical, CA:TRUE. */
const IS_AUTHORITY = der(0x30, Buffer.from("0603551d130101ff040530030101ff", "hex"));

/** A name and a key that certificates are signed with. */
export class Authority implements Issued {
  readonly cert: string;
  readonly key: string;
  readonly #name: Buffer;
  readonly #key: KeyObject;

  constructor(name: string) {
    this.#name = distinguished(name);
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = pair.privateKey;
    this.key = pem(pair.privateKey);
    this.cert = this.#sign(this.#name, pair.publicKey, [IS_AUTHORITY], {});
  }

  issue(name: string, options: IssueOptions = {}): Issued {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const address = options.ip === undefined ? null : Buffer.from(options.ip.split(".").map(Number));
    const names = address === null ? [] : [der(0x30, SUBJECT_ALT_NAME, der(0x04, der(0x30, der(0x87, address))))];
    return { cert: this.#sign(distinguished(name), publicKey, names, options), key: pem(privateKey) };
  }

  #sign(
    subject: Buffer,
    publicKey: KeyObject,
    extensions: readonly Buffer[],
    { notBefore, notAfter }: Validity,
  ): string {
    const now = Date.now();
    const body = der(
      0x30,
      der(0xa0, der(0x02, Buffer.from([2]))), // version 3
      der(0x02, Buffer.from([1])),
      ECDSA_WITH_SHA256,
      this.#name,
      der(0x30, time(notBefore ?? new Date(now - DAY_MS)), time(notAfter ?? new Date(now + DAY_MS))),
      subject,
      publicKey.export({ type: "spki", format: "der" }),
      ...(extensions.length === 0 ? [] : [der(0xa3, der(0x30, ...extensions))]),
    );
    const signature = der(0x03, Buffer.from([0]), sign("sha256", body, this.#key));
    const base64 = der(0x30, body, ECDSA_WITH_SHA256, signature).toString("base64");
    const lines = base64.match(/.{1,64}/g) ?? [];
    return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
  }
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function distinguished(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from(name)))));
}

/** UTCTime: `YYMMDDhhmmssZ`. */
function time(at: Date): Buffer {
  const text = at.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(0x17, Buffer.from(text.slice(2)));
}

/** One DER value: tag, length, content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
