import type { Client } from "../producers/client.ts";
import type { JobRecord } from "../src/records/record.ts";
import type { Phone } from "./phone.ts";
import type { SendName, Sender, VerifyName } from "./senders.ts";

export interface JourneyDeps {
  readonly client: Client;
  readonly phone: Phone;
  /** Called with every job that has settled. */
  readonly onSettled: (record: JobRecord) => void;
  /** How long a job may take, in ms. */
  readonly timeoutMs: number;
}

/** One OTP of one sender: waits until it is sent, types the code (every 25th sender mistypes it first), and verifies it. */
export async function travel(
  operation: SendName,
  sender: Sender,
  send: JobRecord,
  { client, phone, onSettled, timeoutMs }: JourneyDeps,
): Promise<void> {
  const verify: VerifyName = `${operation}.verify`;
  const answer = async (otp: string): Promise<void> => {
    const { id } = await client.submit(verify, { of: send.id, otp });
    onSettled(await client.waitFor(id, { timeoutMs }));
  };
  const sent = await client.waitFor(send.id, { timeoutMs });
  onSettled(sent);
  if (sent.state !== "succeeded") return;
  if (sender.index % 25 === 0) await answer(phone.misread(operation, sender));
  await answer(phone.read(operation, sender));
}
