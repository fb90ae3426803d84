import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { newDataKey } from "../../../../src/privacy/sealing/data-key.ts";
import { Opener } from "../../../../src/privacy/sealing/opener.ts";
import { openChunk, sealChunk } from "../../../../src/privacy/sealing/sealed-chunk.ts";
import { dataKeyIdsIn, headOf, Sealer } from "../../../../src/privacy/sealing/sealed-text.ts";
import { Secret } from "../../../../src/secrets/secret.ts";
import { refusal } from "../../providers/refusal.ts";

const FOR = { operation: "eko.mobile-otp", jobId: "b000000001", field: "in:0" };
const { dataKey } = newDataKey("batch:b000000001");
const sealer = new Sealer(dataKey, 1);
const opener = new Opener(new Map([[dataKey.id, dataKey]]));

describe("a sealed chunk", () => {
  it("gives back any values, for the same batch and place alone", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), (values) => {
        const sealed = sealChunk(sealer, values, FOR);
        expect(openChunk(opener, sealed, FOR)).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
    const sealed = sealChunk(sealer, [1], FOR);
    const error = refusal(() => openChunk(opener, sealed, { ...FOR, field: "in:1" }));
    expect(error.code).toBe(ErrorCode.UNREADABLE);
  });

  it("holds the clear value of a secret, not its mask, wherever it stands", () => {
    const sealed = sealChunk(sealer, [{ a: new Secret("9123456780", "mobile"), b: [new Secret("x")] }], FOR);
    expect(openChunk(opener, sealed, FOR)).toEqual([{ a: "9123456780", b: ["x"] }]);
    expect(sealed.toString("latin1")).not.toContain("9123456780");
  });

  it("names its data key, and no text of another form opens as one", () => {
    const sealed = sealChunk(sealer, ["x"], FOR);
    expect(dataKeyIdsIn(headOf(sealed))).toEqual([dataKey.id]);
    for (const bad of [Buffer.from(sealer.seal("[]", FOR)), sealed.subarray(0, 30), Buffer.alloc(0)]) {
      expect(refusal(() => openChunk(opener, bad, FOR)).code).toBe(ErrorCode.UNREADABLE);
    }
  });

  it("keeps a row of a file in less than 90 bytes", () => {
    let seed = 7;
    const digits = (n: number): string => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return String(seed % 10 ** n).padStart(n, "0");
    };
    const rows = Array.from({ length: 256 }, (_, row) => [
      digits(9) + digits(9) + "aaaa",
      {
        customer_id: new Secret(`9${digits(9)}`),
        aadhaar: new Secret(`2${digits(9)}${digits(2)}`),
        latlong: "19.07,72.87",
      },
      row,
    ]);
    expect(sealChunk(sealer, rows, FOR).length / rows.length).toBeLessThan(90);
  });
});
