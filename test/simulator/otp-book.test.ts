import { describe, expect, it } from "vitest";
import { type IssuedOtp, OtpBook } from "../../simulator/otp-book.ts";

const SEND = "eko.mobile-otp";

function issued(changes: Partial<IssuedOtp> = {}): IssuedOtp {
  return {
    operation: SEND,
    handle: "ref-1",
    to: "9876543000",
    mobile: null,
    referenceTid: null,
    otp: "012345",
    expiresAt: 1_000,
    ...changes,
  };
}

function bookWith(...otps: IssuedOtp[]): OtpBook {
  const book = new OtpBook();
  for (const otp of otps) book.issue(otp, 0);
  return book;
}

describe("OtpBook", () => {
  it("accepts the right OTP once", () => {
    const book = bookWith(issued());
    expect(book.redeem(SEND, "ref-1", "012345", 0, 3).kind).toBe("accepted");
    expect(book.redeem(SEND, "ref-1", "012345", 0, 3).kind).toBe("spent");
  });

  it("does not take an OTP without its leading zero", () => {
    expect(bookWith(issued()).redeem(SEND, "ref-1", "12345", 0, 3).kind).toBe("wrong");
  });

  it("accepts it until the last millisecond, and not at its end", () => {
    expect(bookWith(issued()).redeem(SEND, "ref-1", "012345", 999, 3).kind).toBe("accepted");
    expect(bookWith(issued()).redeem(SEND, "ref-1", "012345", 1_000, 3).kind).toBe("expired");
  });

  it("is killed by the third wrong try", () => {
    const book = bookWith(issued());
    for (let n = 0; n < 2; n += 1) expect(book.redeem(SEND, "ref-1", "000000", 0, 3).kind).toBe("wrong");
    expect(book.redeem(SEND, "ref-1", "012345", 0, 3).kind).toBe("accepted");

    const other = bookWith(issued());
    for (let n = 0; n < 3; n += 1) expect(other.redeem(SEND, "ref-1", "000000", 0, 3).kind).toBe("wrong");
    expect(other.redeem(SEND, "ref-1", "012345", 0, 3).kind).toBe("spent");
  });

  it("is killed by a newer one for the same person and operation only", () => {
    const book = bookWith(
      issued(),
      issued({ handle: "ref-2" }),
      issued({ handle: "ref-3", to: "9876543001" }),
      issued({ handle: "ref-4", operation: "deepvue.aadhaar-otp" }),
    );
    expect(book.redeem(SEND, "ref-1", "012345", 0, 3).kind).toBe("spent");
    expect(book.redeem(SEND, "ref-2", "012345", 0, 3).kind).toBe("accepted");
    expect(book.redeem(SEND, "ref-3", "012345", 0, 3).kind).toBe("accepted");
  });

  it("does not know a reference of another operation, or none at all", () => {
    const book = bookWith(issued());
    expect(book.redeem("deepvue.aadhaar-otp", "ref-1", "012345", 0, 3).kind).toBe("unknown");
    expect(book.redeem(SEND, "ref-9", "012345", 0, 3).kind).toBe("unknown");
  });

  it("forgets what expired ten minutes ago", () => {
    const book = bookWith(issued());
    book.issue(issued({ handle: "ref-2", to: "9876543001", expiresAt: 700_000 }), 600_999);
    expect(book.has("ref-1")).toBe(true);
    book.issue(issued({ handle: "ref-3", to: "9876543002", expiresAt: 700_000 }), 601_000);
    expect(book.has("ref-1")).toBe(false);
    expect(book.has("ref-2")).toBe(true);
  });
});
