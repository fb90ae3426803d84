import { json } from "../reply.ts";
import type { Route } from "../route.ts";
import { admit } from "./admit.ts";
import { deepvueFaultReply } from "./replies.ts";

/** Asks for nothing but the key pair, so `satyapan doctor` tries the credentials with it (facts/deepvue §3). */
export const walletBalance: Route = {
  provider: "deepvue",
  operation: "deepvue.wallet-balance",
  step: "read",
  method: "GET",
  paths: ["/v1/internal/wallet-balance"],
  admit,
  open: () => ({
    clientRefId: null,
    persons: [],
    next: { carryOut: () => ({ reply: json(200, { current_balance: 6448, success: true }), committed: null }) },
  }),
  faultReply: deepvueFaultReply,
};
