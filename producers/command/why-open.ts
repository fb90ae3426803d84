import { SatyapanError } from "../../src/base/error.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { Client } from "../client.ts";

/** Why a job that nobody waits for any longer is not done; null: it is by now, or nobody can say. */
export async function whyOpen(client: Client, id: string): Promise<string | null> {
  try {
    const explanation = await client.explain(id);
    return explanation === null || isTerminal(explanation.state) ? null : explanation.text;
  } catch (error) {
    if (error instanceof SatyapanError) return null;
    throw error;
  }
}
