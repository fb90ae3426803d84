/** What a call does to a person: the policies follow from it. */
export type Step = "send" | "verify" | "read" | "create";

/**
 * What follows `unknown` (design §3): `repeat` for a read, `resend-after-cooldown` for a Deepvue send (its 409 guards the
 * person), `stop` for everything else: a person or the caller settles it.
 */
export type AfterUnknown = "repeat" | "resend-after-cooldown" | "stop";
