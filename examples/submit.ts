import { createClient } from "satyapan";

const client = createClient(); // settings from the environment
const sent = await client.submit(
  "deepvue.aadhaar-otp",
  {
    aadhaar: "999999990019",
    purpose: "Sender onboarding",
    consent: { reference: "C-1001", method: "signed form", obtained_at: "2026-01-15T10:00:00+05:30" },
  },
  { id: "order-1001", expiresIn: "10m" },
);
const record = await client.waitFor(sent.id, { timeoutMs: 30_000 });
console.log(record.state, record.result?.["reference_id"]);
await client.close();
