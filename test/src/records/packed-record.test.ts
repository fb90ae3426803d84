import { assert, constantFrom, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { isPacked, packRecord, unpackRecord } from "../../../src/records/packed-record.ts";
import { parseRecord } from "../../../src/records/parse-record.ts";

const ID = "mwxxhc6qe32kho1vqa";
const outcome = {
  ...{ kind: "succeeded", http_status: 200, status: 0, response_status_id: 0, response_type_id: 1623 },
  ...{ sub_code: null, message: "OTP has been sent" },
};
const attempt = { client_ref_id: `${ID}01`, started: 1_795_720_266_181, ended: 1_795_720_266_241, outcome };
const result = { mobile: "XXXXXX0000", otp_sent: true, otp_valid_until: null, client_ref_id: `${ID}01`, tid: "34123" };
/** As a send of Eko's leaves it. */
const SENT: Readonly<Record<string, string>> = {
  state: "succeeded",
  digest: "Aj2f-e3A4QXeEYxXhO_bxw",
  job: "eko.mobile-otp interactive 1795720264947 ~ Sdu9Pq5IoN2qAzQWZIPOFA + ~ user_code:default initiator_id:default",
  attempts: "1",
  open: "",
  spent: "1 0 0",
  updated: "1795720266241",
  "attempt:1": JSON.stringify(attempt),
  result: JSON.stringify(result),
};

function packed(fields: Readonly<Record<string, string>>, id = ID, pieceBytes = 64): Readonly<Record<string, string>> {
  const made = packRecord(id, fields, pieceBytes);
  if (made === null) throw new Error("it was not packed");
  // As the script does.
  const own = Object.entries(fields).filter(([name]) => ["state", "digest", "answered"].includes(name));
  return { ...Object.fromEntries(own), ...Object.fromEntries(made.map((piece, index) => [index + 1, piece])) };
}

describe("a packed record", () => {
  it("is told as it was, in less than half of its text and pieces that Redis keeps together", () => {
    const short = packed(SENT);
    expect(parseRecord(ID, unpackRecord(ID, short))).toEqual(parseRecord(ID, SENT));
    const size = (fields: Readonly<Record<string, string>>): number => Object.entries(fields).flat().join("").length;
    expect(size(short)).toBeLessThan(0.4 * size(SENT));
    expect(Math.max(...Object.values(short).map((value) => Buffer.byteLength(value)))).toBeLessThanOrEqual(64);
  });

  it.each([
    ["with several attempts", { attempts: "2", "attempt:2": JSON.stringify({ ...attempt, client_ref_id: `${ID}02` }) }],
    ["whose last attempt ended at another time than it", { updated: "1795720269999" }],
    ["with a reason and decisions", { reason: "no, 12% of it = nothing", decisions: '{"at":1}\n{"at":2}\n' }],
    ["that expired before any", { state: "expired", attempts: "0", reason: "its deadline came first" }],
    ["with a message in another script", { result: JSON.stringify({ note: "ओटीपी भेजा गया है 😀".repeat(9) }) }],
  ])("%s is told as it was", (_, given) => {
    const fields: Record<string, string> = { ...SENT, ...given };
    if (fields["attempts"] === "0") delete fields["attempt:1"];
    const short = packed(fields);
    expect(parseRecord(ID, unpackRecord(ID, short))).toEqual(parseRecord(ID, fields));
    expect(Math.max(...Object.values(short).map((value) => Buffer.byteLength(value)))).toBeLessThanOrEqual(64);
  });

  it("is one piece where Redis keeps such long values together, and is told as it was", () => {
    const short = packed(SENT, ID, 1024);
    expect(Object.keys(short).toSorted()).toEqual(["1", "digest", "state"]);
    expect(parseRecord(ID, unpackRecord(ID, short))).toEqual(parseRecord(ID, SENT));
  });

  it("gives back any text, also of a short id that stands in it by chance", () => {
    const text = string({ unit: "binary", maxLength: 300 }).map((raw) => JSON.stringify({ raw }));
    const isGivenBack = property(text, constantFrom("1", "e", ID, "order-1"), (given, id) => {
      const fields = { ...SENT, result: given };
      expect(unpackRecord(id, packed(fields, id))["result"]).toBe(given);
    });
    assert(isGivenBack);
  });

  it("cuts no number in two", () => {
    const number = "4991 1866 5246";
    for (let before = 0; before < 70; before++) {
      const fields = { ...SENT, reason: `${".".repeat(before)}${number}` };
      expect(Object.values(packed(fields)).some((piece) => piece.includes(number))).toBe(true);
    }
  });

  it.each([
    ["of which something sealed is kept", { input: "{}" }],
    ["with a sealed result", { personal: "s2.sealed" }],
    ["whose attempts are not all there", { attempts: "2" }],
    ["whose job is garbled", { job: "eko.mobile-otp interactive soon" }],
    ["with a control character that we do not write", { reason: "a\u0004b" }],
    ["that was packed", { "1": "it was" }],
  ])("is not made of one %s", (_, given) => {
    expect(packRecord(ID, { ...SENT, ...given }, 64)).toBeNull();
  });

  it("is told from one that is not packed, which stays as it is", () => {
    expect(isPacked(packed(SENT))).toBe(true);
    expect(unpackRecord(ID, SENT)).toBe(SENT);
  });
});
